// See pins.hpp.
#include "pins.hpp"

#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sinew::sim {

void Pins::set_latches(std::uint8_t values, std::uint8_t mask) noexcept {
    m_latches = static_cast<std::uint8_t>((m_latches & ~mask) | (values & mask));
}

std::optional<bool> Pins::driven_level(std::size_t pin) const noexcept {
    if (is_output(pin)) {
        bool const latch = bit(m_latches, pin);
        if (bit(m_push_pull, pin) || !latch) {
            return latch;
        }
    }
    return m_outside.at(pin);
}

std::uint8_t Pins::levels() const noexcept {
    unsigned levels = 0;
    for (std::size_t pin = 0; pin < count; ++pin) {
        std::optional<bool> level = driven_level(pin);
        if (!level && m_wiring == Wiring::pairs) {
            level = driven_level(pin ^ 1U);
        }
        levels |= static_cast<unsigned>(level.value_or(false)) << pin;
    }
    return static_cast<std::uint8_t>(levels);
}

Result<> Pins::drive(std::size_t pin, std::optional<bool> level) {
    if (level && is_output(pin) && bit(m_push_pull, pin)) {
        return failure(
            ErrorCode::invalid_argument,
            "can't drive line " + std::to_string(pin) +
                ": the kernel drives it as an output (a short circuit on real hardware); use an input line");
    }
    m_outside.at(pin) = level;
    return {};
}

} // namespace sinew::sim
