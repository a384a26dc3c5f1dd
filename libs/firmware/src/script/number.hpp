/// Numbers as scripts write them.
///
/// Threading: a free function.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sinew::firmware {

/// A number with C prefixes (0x, 0), not negative. Nothing if it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

} // namespace sinew::firmware
