// A line from a client of the observe socket: whatever it holds, it is read or refused; what was read is
// within its bounds and reads the same again. (Not the fractions of a state: Boost.JSON rounds the last bit
// of some long ones.)
#include <sinew/base/value.hpp>
#include <sinew/otp/observe.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

namespace {

void forget_fractions(sinew::Value& value) {
    if (auto* const array = std::get_if<sinew::Value::Array>(&value.data())) {
        for (auto& element : *array) {
            forget_fractions(element);
        }
    } else if (auto* const object = std::get_if<sinew::Value::Object>(&value.data())) {
        for (auto& [key, member] : *object) {
            forget_fractions(member);
        }
    } else if (std::holds_alternative<double>(value.data())) {
        value = sinew::Value();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const line(reinterpret_cast<char const*>(data), size);
    (void)sinew::observe::parse_pid(line);
    auto request = sinew::observe::parse_request(line);
    if (!request) {
        return 0;
    }
    if (request->limit < 1 || request->limit > 10'000 || request->wait_ms < 0 || request->wait_ms > 60'000) {
        std::abort();
    }
    std::string const formatted = sinew::observe::format_request(*request);
    if (formatted.size() > sinew::observe::request_limit_bytes) {
        return 0;
    }
    auto again = sinew::observe::parse_request(formatted);
    if (!again) {
        std::abort();
    }
    forget_fractions(request->state);
    forget_fractions(again->state);
    if (sinew::observe::format_request(*again) != sinew::observe::format_request(*request)) {
        std::abort();
    }
    return 0;
}
