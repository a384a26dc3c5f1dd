/// The virtual hardware as a whole: pins, chip, sensors, and what a control request does to them.
///
/// Threading: for one thread.
#pragma once

#include "cp2112.hpp"
#include "i2c_devices.hpp"
#include "pins.hpp"
#include "protocol.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::sim {

class VirtualBoard {
public:
    struct Options {
        Wiring wiring = Wiring::none;
        /// Names for the control side, by line: {"LED0", 4}. The kernel does not see them.
        std::map<std::string, std::size_t> names;
    };
    static constexpr std::string_view chip_label = "cp2112_gpio";

    /// An EEPROM at I2C address 0x50 and a TMP102 at 0x48 are fitted.
    explicit VirtualBoard(Options const& options);
    VirtualBoard(VirtualBoard const&) = delete;
    VirtualBoard& operator=(VirtualBoard const&) = delete;
    ~VirtualBoard() = default;

    [[nodiscard]] Cp2112& chip() noexcept { return m_chip; }
    [[nodiscard]] Pins const& pins() const noexcept { return m_pins; }
    [[nodiscard]] LineState state(std::size_t line) const;
    /// "4", "cp2112_gpio:4" or a name. Error not_found.
    [[nodiscard]] Result<std::size_t> find_line(std::string_view text) const;
    /// Does what `request` says; a watch only answers with the present state here.
    [[nodiscard]] Reply handle(Request const& request);
    /// The lines whose level is another than at the last call, one bit each; `now` is when they changed.
    [[nodiscard]] std::uint8_t take_changes(MonotonicTime now);
    /// The kernel has looked at the levels.
    void count_look() noexcept { ++m_looks; }

private:
    struct History {
        std::int64_t changes = 0;
        std::optional<std::int64_t> first_change_ns;
    };
    [[nodiscard]] Result<Reply> try_handle(Request const& request);
    [[nodiscard]] Reply all_lines() const;

    Pins m_pins;
    std::array<std::string, Pins::count> m_names;
    std::uint8_t m_last_levels = 0;
    std::int64_t m_looks = 0;
    std::array<History, Pins::count> m_history;
    std::shared_ptr<Tmp102> m_sensor = std::make_shared<Tmp102>();
    Cp2112 m_chip;
};

} // namespace sinew::sim
