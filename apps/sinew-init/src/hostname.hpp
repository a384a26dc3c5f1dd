/// The device's name: a pattern with the serial number put in, made fit for the network.
///
/// Invariant: what format_hostname() returns is a valid RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', no '-'
/// at the ends. Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace sinew::init {

/// In `pattern`, %s is the serial number, %.Ns its first and %-.Ns its last N characters, %% a percent sign;
/// anything else after a '%' is left out. The whole is then put in lower case, blanks, dots and underscores
/// become '-', and other characters that a host name can't have are dropped. When nothing is left: "sinew".
[[nodiscard]] std::string format_hostname(std::string_view pattern, std::string_view serial_number);

} // namespace sinew::init
