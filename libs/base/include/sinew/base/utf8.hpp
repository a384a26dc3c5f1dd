/// UTF-8: what TOML, JSON and terminals take, made of bytes that may be anything.
///
/// Threading: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew {

/// The code point at the front of `text`, which isn't empty, taken off it. Nothing: the first byte begins none
/// (RFC 3629), and it alone is taken off.
[[nodiscard]] std::optional<char32_t> take_code_point(std::string_view& text) noexcept;

/// Whether all of `text` is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` with U+FFFD in place of each byte that is no part of a code point.
[[nodiscard]] std::string valid_utf8(std::string text);

/// The front of `text`, at most `limit_bytes` long, that ends behind a whole code point.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t limit_bytes) noexcept;

} // namespace sinew
