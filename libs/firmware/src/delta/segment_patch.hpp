/// The form of our own patches: the target in segments, each compressed by zstd against pieces of the source.
///
/// All numbers are little-endian.
///
///     header    magic "SINEWDL1", u64 source bytes, 32 bytes BLAKE2b-256 of the source, u64 target bytes,
///               u32 most bytes of a segment, u32 most bytes of a window
///     segments  u32 number of pieces, u32 packed bytes,
///               pieces: u64 offset in the source, u32 bytes; together they are the window
///               one zstd frame with checksum and content size, the window being its prefix
///
/// Every segment but the last has the size that the header says. What isn't known to an old reader is
/// refused by it for its first bytes, which aren't those of VCDIFF. Threading: values and free functions.
#pragma once

#include "archive/hash.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sinew::firmware::segment_patch {

inline constexpr std::string_view magic = "SINEWDL1";
inline constexpr std::size_t header_bytes = 64;
inline constexpr std::size_t record_bytes = 8;
inline constexpr std::size_t piece_bytes = 12;

/// What a reader accepts; it needs about twice a segment and a window of memory.
inline constexpr std::uint32_t largest_segment = 8u << 20;
inline constexpr std::uint32_t largest_window = 24u << 20;
inline constexpr std::uint32_t most_pieces = 4096;

/// What we write: applied with 18 to 23 MB in the whole process.
inline constexpr std::uint32_t default_segment = 4u << 20;
inline constexpr std::uint32_t default_window = 8u << 20;

struct Header {
    std::uint64_t source_bytes = 0;
    Blake2b256::Digest source_hash{};
    std::uint64_t target_bytes = 0;
    std::uint32_t segment_bytes = default_segment;
    std::uint32_t window_bytes = default_window;
};

struct Piece {
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
};

[[nodiscard]] std::array<std::byte, header_bytes> format_header(Header const& header);
/// Error corrupt: not such a header, or more memory would be needed than a reader has.
[[nodiscard]] Result<Header> parse_header(BytesView bytes);

} // namespace sinew::firmware::segment_patch
