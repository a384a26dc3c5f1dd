/// GUIDs as GPT stores them: the first three fields little-endian, the rest as written.
///
/// Threading: plain values and free functions.
#pragma once

#include <sinew/base/bytes.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

using Guid = std::array<std::byte, 16>;

/// From "8-4-4-4-12" hexadecimal digits, upper or lower case; nothing if it is none.
[[nodiscard]] std::optional<Guid> parse_guid(std::string_view text);
/// Lower-case "8-4-4-4-12". `bytes` has 16.
[[nodiscard]] std::string format_guid(BytesView bytes);

} // namespace sinew::firmware
