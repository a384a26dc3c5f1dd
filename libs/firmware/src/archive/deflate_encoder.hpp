/// Deflate (RFC 1951) of one piece of content, for pieces that are compressed on many cores and joined.
///
/// Invariant: a piece refers to nothing before it, ends at a byte's end, and isn't marked as the last. So
/// pieces put one behind the other, with `end_of_deflate` behind them, are one stream that every reader
/// inflates; and each can be inflated alone, with `end_of_deflate` behind it. Bytes depend on content and
/// level only. Threading: an object belongs to one thread.
#pragma once

#include "archive/stream_inflater.hpp"

#include <sinew/base/bytes.hpp>

#include <libdeflate.h>

#include <array>
#include <cstddef>
#include <memory>

namespace sinew::firmware {

/// A last block with nothing in it.
inline constexpr std::array end_of_deflate{std::byte{0x03}, std::byte{0x00}};

class DeflateEncoder {
public:
    /// `level` 1 (fast) .. 9 (small).
    explicit DeflateEncoder(int level);
    /// `content` has at most 16 MiB. Never more than a few bytes in 4 KiB larger than it.
    [[nodiscard]] Bytes encode(BytesView content);

private:
    using Compressor = std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)>;
    static Compressor make_compressor(int level);
    [[nodiscard]] bool is_noise(BytesView content);
    void make_joinable(Bytes& stream, BytesView content);

    Compressor m_good;
    Compressor m_fast;
    Compressor m_plain;
    StreamInflater m_inflater;
    Bytes m_sample;
    Bytes m_inflated;
};

} // namespace sinew::firmware
