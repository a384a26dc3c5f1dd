/// Bytes: the owned and borrowed forms every parser and writer uses, and their hexadecimal text.
///
/// Threading: values and free functions without shared state.
#pragma once

#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {

/// Owned bytes.
using Bytes = std::vector<std::byte>;
/// Borrowed bytes, to read.
using BytesView = std::span<std::byte const>;
/// Borrowed bytes, to write.
using MutableBytesView = std::span<std::byte>;

/// The bytes of `text`, borrowed.
[[nodiscard]] inline BytesView as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// The bytes as text, borrowed; nothing is checked or converted.
[[nodiscard]] inline std::string_view as_text(BytesView bytes) noexcept {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// A copy of `text` as owned bytes.
[[nodiscard]] Bytes to_bytes(std::string_view text);

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] std::string to_hex(BytesView bytes);

/// The inverse of to_hex(); upper case is accepted. Error invalid_argument: odd length or another character.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

/// Little-endian and big-endian loads and stores; `at` plus the width must lie inside the span (asserted).
[[nodiscard]] std::uint16_t load_le16(BytesView bytes, std::size_t at);
[[nodiscard]] std::uint32_t load_le32(BytesView bytes, std::size_t at);
[[nodiscard]] std::uint64_t load_le64(BytesView bytes, std::size_t at);
[[nodiscard]] std::uint32_t load_be32(BytesView bytes, std::size_t at);
void store_le16(MutableBytesView bytes, std::size_t at, std::uint16_t value);
void store_le32(MutableBytesView bytes, std::size_t at, std::uint32_t value);
void store_le64(MutableBytesView bytes, std::size_t at, std::uint64_t value);
void store_be32(MutableBytesView bytes, std::size_t at, std::uint32_t value);

} // namespace sinew
