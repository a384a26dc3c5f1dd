/// Where the device's serial number comes from.
///
/// Invariant: the first source that has a believable number wins; there is always a result.
/// Threading: one thread; reads files below /sys and /proc.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace sinew::init {

/// What a device without any number is called.
inline constexpr std::string_view unknown_serial_number = "00000000";

/// Asks, in this order: `from_command_line` (sinew.serial=), the firmware's tables (DMI product_serial, the
/// device tree's serial-number), the address of the first Ethernet interface without its colons. `root` is
/// "/" but for tests. Vendors' placeholders ("To be filled by O.E.M.", "None", all zeros...) are no numbers.
[[nodiscard]] std::string find_serial_number(std::string_view from_command_line,
                                             std::filesystem::path const& root);

} // namespace sinew::init
