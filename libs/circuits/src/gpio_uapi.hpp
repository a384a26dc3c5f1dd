/// The kernel's GPIO structures (linux/gpio.h, uAPI version 2), to and from ours.
///
/// Invariant: every structure is zero but for what is set here: the kernel refuses non-zero padding.
/// Threading: functions without shared state.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <linux/gpio.h>

#include <cstdint>
#include <vector>

namespace sinew::circuits::uapi {

[[nodiscard]] gpio_v2_line_config make_config(GpioOptions const& options);
/// A request for the one line `offset`.
[[nodiscard]] gpio_v2_line_request make_request(std::uint32_t offset, GpioOptions const& options);

[[nodiscard]] ChipInfo read_chip_info(gpiochip_info const& info);
[[nodiscard]] LineInfo read_line_info(gpio_v2_line_info const& info, ChipInfo const& chip);

/// Turns the records of a line's descriptor into events, and finds gaps in their numbers.
class EdgeDecoder {
public:
    /// `records` as read(2) returned them. A part of a record at the end, or a record that is no edge, is
    /// left out.
    [[nodiscard]] std::vector<EdgeEvent> decode(BytesView records);

private:
    std::uint32_t m_last_sequence = 0;
};

} // namespace sinew::circuits::uapi
