/// Prefix codes. See the header.
#include "archive/huffman.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sinew::firmware {

namespace {

constexpr std::size_t most_symbols = 288;
constexpr unsigned longest_code = 15;
constexpr unsigned symbol_bits = 16;

/// How many codes there are of each length.
using LengthCounts = std::array<std::uint32_t, longest_code + 1>;

/// The symbols that come, the rarest first: count above, symbol below.
struct Leaves {
    std::array<std::uint64_t, most_symbols> sorted{};
    std::size_t size = 0;

    explicit Leaves(std::span<std::uint32_t const> counts) {
        for (std::size_t symbol = 0; symbol < counts.size(); ++symbol) {
            if (counts[symbol] > 0) {
                add(counts[symbol], symbol);
            }
        }
        for (std::size_t symbol = 0; size < 2; ++symbol) {
            if (counts[symbol] == 0) {
                add(1, symbol);
            }
        }
        std::ranges::sort(std::span(sorted).first(size));
    }
    [[nodiscard]] std::uint64_t count(std::size_t index) const { return sorted[index] >> symbol_bits; }
    [[nodiscard]] std::size_t symbol(std::size_t index) const { return sorted[index] & 0xFFFFu; }

private:
    void add(std::uint64_t count, std::size_t symbol) { sorted[size++] = count << symbol_bits | symbol; }
};

/// Huffman's tree over `leaves`: joins the two rarest again and again. Both leaves and joined nodes come in
/// rising order, so two queues do.
LengthCounts count_lengths(Leaves const& leaves, unsigned most) {
    std::array<std::uint64_t, 2 * most_symbols> weight{};
    std::array<std::uint16_t, 2 * most_symbols> parent{};
    auto const n = leaves.size;
    for (std::size_t i = 0; i < n; ++i) {
        weight[i] = leaves.count(i);
    }
    std::size_t leaf = 0;
    std::size_t joined = n;
    for (std::size_t next = n; next < 2 * n - 1; ++next) {
        for (int side = 0; side < 2; ++side) {
            bool const take_leaf = leaf < n && (joined == next || weight[leaf] <= weight[joined]);
            auto& rarest = take_leaf ? leaf : joined;
            weight[next] += weight[rarest];
            parent[rarest] = static_cast<std::uint16_t>(next);
            ++rarest;
        }
    }
    std::array<std::uint16_t, 2 * most_symbols> depth{};
    LengthCounts lengths{};
    for (std::size_t i = 2 * n - 2; i-- > 0;) {
        depth[i] = static_cast<std::uint16_t>(depth[parent[i]] + 1);
        if (i < n) {
            ++lengths[std::min<std::size_t>(depth[i], most)];
        }
    }
    return lengths;
}

/// Codes that were cut to `most` bits take more room than there is; makes others longer until it fits.
void make_room(LengthCounts& lengths, unsigned most) {
    std::uint32_t taken = 0;
    for (unsigned length = 1; length <= most; ++length) {
        taken += lengths[length] << (most - length);
    }
    for (; taken > 1u << most; --taken) {
        auto length = most - 1;
        while (lengths[length] == 0) {
            --length;
        }
        --lengths[most];
        --lengths[length];
        lengths[length + 1] += 2;
    }
}

} // namespace

void find_code_lengths(std::span<std::uint32_t const> counts, unsigned most,
                       std::span<std::uint8_t> lengths) {
    Leaves const leaves(counts);
    auto of_length = count_lengths(leaves, most);
    make_room(of_length, most);
    std::ranges::fill(lengths, std::uint8_t{0});
    std::size_t index = 0;
    for (auto length = most; length > 0; --length) {
        for (std::uint32_t i = 0; i < of_length[length]; ++i) {
            lengths[leaves.symbol(index++)] = static_cast<std::uint8_t>(length);
        }
    }
}

void assign_codes(std::span<std::uint8_t const> lengths, std::span<std::uint16_t> codes) {
    LengthCounts of_length{};
    for (auto const length : lengths) {
        ++of_length[length];
    }
    std::array<std::uint32_t, longest_code + 1> next{};
    for (unsigned length = 1, code = 0; length <= longest_code; ++length) {
        code = (code + (length > 1 ? of_length[length - 1] : 0)) << 1u;
        next[length] = code;
    }
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
        auto code = lengths[symbol] == 0 ? 0 : next[lengths[symbol]]++;
        std::uint32_t reversed = 0;
        for (unsigned i = 0; i < lengths[symbol]; ++i) {
            reversed = reversed << 1u | (code & 1u);
            code >>= 1u;
        }
        codes[symbol] = static_cast<std::uint16_t>(reversed);
    }
}

} // namespace sinew::firmware
