// Gpio: checks what every backend would have to check, then asks the backend.
#include "gpio_errors.hpp"
#include "gpio_options.hpp"

#include <sinew/base/result.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace sinew::circuits {

std::string to_string(LineInfo const& line) {
    std::string const text = line.chip + ":" + std::to_string(line.offset);
    return line.name.empty() ? text : text + " (" + line.name + ")";
}

Result<bool> Gpio::read() const {
    return m_backend->read();
}

Result<> Gpio::write(bool value) {
    if (m_options.direction != Direction::output) {
        return std::unexpected(write_to_input(m_line));
    }
    return m_backend->write(value);
}

Result<> Gpio::configure(GpioOptions const& options) {
    TRY_OK(check_options(to_string(m_line), options));
    GpioOptions wanted = options;
    wanted.consumer = m_options.consumer;
    wanted.event_buffer = m_options.event_buffer;
    TRY_OK(m_backend->configure(wanted));
    m_options = std::move(wanted);
    return {};
}

int Gpio::edge_descriptor() const noexcept {
    return m_options.edges == Edges::none ? -1 : m_backend->edge_descriptor();
}

Result<std::vector<EdgeEvent>> Gpio::read_edges() {
    if (m_options.edges == Edges::none) {
        return std::unexpected(edges_not_requested(m_line));
    }
    return m_backend->read_edges();
}

} // namespace sinew::circuits
