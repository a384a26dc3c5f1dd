/// Deflate (RFC 1951) of one piece of content, for pieces that are compressed on many cores and joined.
///
/// Invariant: a piece refers to nothing before it, ends at a byte's end, and isn't marked as the last. So
/// pieces put one behind the other, with `end_of_deflate` behind them, are one stream that every reader
/// inflates; and each can be inflated alone, with `end_of_deflate` behind it. Bytes depend on content and
/// level only. Threading: an object belongs to one thread.
#pragma once

#include "archive/deflate_matches.hpp"

#include <sinew/base/bytes.hpp>

#include <array>
#include <cstddef>

namespace sinew::firmware {

/// A last block with nothing in it.
inline constexpr std::array end_of_deflate{std::byte{0x03}, std::byte{0x00}};

class DeflateEncoder {
public:
    /// `level` 1 (fast) .. 9 (small).
    explicit DeflateEncoder(int level)
        : m_matches(level) {}
    /// `content` has at most 16 MiB. Never more than a few bytes in 4 KiB larger than it.
    [[nodiscard]] Bytes encode(BytesView content);

private:
    DeflateMatches m_matches;
};

} // namespace sinew::firmware
