/// Where deflate's blocks should begin and end, so that each has codes that suit it.
///
/// Threading: values and free functions.
#pragma once

#include "archive/deflate_matches.hpp"

#include <sinew/base/bytes.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sinew::firmware {

inline constexpr std::size_t literal_symbols = 286;
inline constexpr std::size_t distance_symbols = 30;
inline constexpr std::size_t end_of_block = 256;

/// A symbol, and bits that follow it.
struct DeflateSymbol {
    unsigned symbol = 0;
    unsigned extra_bits = 0;
    unsigned extra = 0;
};

[[nodiscard]] constexpr DeflateSymbol length_symbol(unsigned length) {
    auto const x = length - 3;
    if (length == 258) {
        return {285, 0, 0};
    }
    if (x < 8) {
        return {257 + x, 0, 0};
    }
    auto const bits = static_cast<unsigned>(std::bit_width(x)) - 3;
    return {257 + 4 * (bits + 1) + (x >> bits & 3u), bits, x & ((1u << bits) - 1)};
}

[[nodiscard]] constexpr DeflateSymbol distance_symbol(unsigned distance_less_one) {
    if (distance_less_one < 4) {
        return {distance_less_one, 0, 0};
    }
    auto const bits = static_cast<unsigned>(std::bit_width(distance_less_one)) - 2;
    return {2 * (bits + 1) + (distance_less_one >> bits & 1u), bits, distance_less_one & ((1u << bits) - 1)};
}

/// How often each symbol comes.
struct SymbolCounts {
    std::array<std::uint32_t, literal_symbols> literals{};
    std::array<std::uint32_t, distance_symbols> distances{};
    std::uint64_t extra_bits = 0;
};

struct DeflateBlock {
    BytesView content;
    std::span<DeflateStep const> steps;
    SymbolCounts counts;
    /// Codes can't make it smaller.
    bool is_noise = false;
};

/// Blocks for `steps`, which make up `content`. They borrow both.
[[nodiscard]] std::vector<DeflateBlock> find_blocks(BytesView content, std::span<DeflateStep const> steps);

} // namespace sinew::firmware
