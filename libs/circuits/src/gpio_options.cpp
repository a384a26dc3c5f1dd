// See gpio_options.hpp.
#include "gpio_options.hpp"

#include <sinew/base/result.hpp>
#include <sinew/circuits/line.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace sinew::circuits {

namespace {

std::string_view contradiction(GpioOptions const& options) {
    bool const is_output = options.direction == Direction::output;
    if (is_output && options.edges != Edges::none) {
        return "edges are reported for inputs; leave .edges at none for an output";
    }
    if (is_output && options.debounce.count() != 0) {
        return "debounce is for inputs; leave .debounce at 0 for an output";
    }
    if (!is_output && options.drive != Drive::push_pull) {
        return "open drain and open source are for outputs; set .direction = Direction::output";
    }
    if (!is_output && options.initial_value) {
        return "an input has no initial value; set .direction = Direction::output";
    }
    if (options.debounce.count() < 0 ||
        options.debounce.count() > std::numeric_limits<std::uint32_t>::max()) {
        return "debounce must be 0 to 4294 s";
    }
    if (options.event_buffer < 1 || options.event_buffer > most_buffered_edges) {
        return "event_buffer must be 1 to 1024 edges";
    }
    return {};
}

} // namespace

Result<> check_options(std::string_view line, GpioOptions const& options) {
    std::string_view const wrong = contradiction(options);
    if (!wrong.empty()) {
        return failure(ErrorCode::invalid_argument,
                       "GPIO line '" + std::string(line) + "': " + std::string(wrong));
    }
    return {};
}

} // namespace sinew::circuits
