/// The eight pins of the simulated chip: who drives which, and what level that makes.
///
/// A pin's level: its own output, else what the outside drives, else its wired partner's output, else what
/// drives that one from outside, else low. An open-drain output that is set high lets go. Threading: for one
/// thread.
#pragma once

#include <sinew/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sinew::sim {

enum class Wiring : std::uint8_t {
    none,
    /// 0 with 1, 2 with 3, 4 with 5, 6 with 7.
    pairs
};

class Pins {
public:
    static constexpr std::size_t count = 8;

    explicit Pins(Wiring wiring = Wiring::none)
        : m_wiring(wiring) {}

    // The chip's side: one bit a pin, bit 0 is pin 0.

    /// Bit set: output.
    void set_directions(std::uint8_t outputs) noexcept { m_outputs = outputs; }
    [[nodiscard]] std::uint8_t directions() const noexcept { return m_outputs; }
    /// Bit set: push-pull, else open drain.
    void set_push_pull(std::uint8_t push_pull) noexcept { m_push_pull = push_pull; }
    [[nodiscard]] std::uint8_t push_pull() const noexcept { return m_push_pull; }
    /// Sets the output latches whose bit is set in `mask`.
    void set_latches(std::uint8_t values, std::uint8_t mask) noexcept;
    [[nodiscard]] std::uint8_t levels() const noexcept;

    // The outside's side. `pin` is 0 to 7.

    /// Drives the pin, or with nothing lets go. Error invalid_argument: it is a push-pull output of the chip.
    [[nodiscard]] Result<> drive(std::size_t pin, std::optional<bool> level);
    [[nodiscard]] bool level(std::size_t pin) const noexcept { return bit(levels(), pin); }
    [[nodiscard]] bool is_output(std::size_t pin) const noexcept { return bit(m_outputs, pin); }
    [[nodiscard]] bool is_driven(std::size_t pin) const noexcept { return m_outside.at(pin).has_value(); }

private:
    [[nodiscard]] static bool bit(std::uint8_t bits, std::size_t pin) noexcept {
        return ((bits >> pin) & 1U) != 0;
    }
    [[nodiscard]] std::optional<bool> driven_level(std::size_t pin) const noexcept;

    Wiring m_wiring;
    std::uint8_t m_outputs = 0;
    std::uint8_t m_push_pull = 0xff;
    std::uint8_t m_latches = 0;
    std::array<std::optional<bool>, count> m_outside;
};

} // namespace sinew::sim
