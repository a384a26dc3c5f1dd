/// The search for blocks: neighbours are joined while that makes them smaller. See the header.
#include "archive/deflate_blocks.hpp"

#include "archive/deflate_matches.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sinew::firmware {

namespace {

/// Costs are in units of 2^-16 bit; integers, so that the bytes are the same on every machine.
constexpr unsigned fraction_bits = 16;
using Cost = std::uint64_t;

/// log2(n) for n > 0, to about 0.01.
constexpr Cost log2_of(std::uint32_t n) {
    auto const whole = static_cast<unsigned>(std::bit_width(n)) - 1;
    Cost const fraction = (Cost{n} << fraction_bits >> whole) - (Cost{1} << fraction_bits);
    // Between powers of two: a line, and a parabola for its belly.
    constexpr Cost belly = 22544;
    Cost const curve = (fraction * ((Cost{1} << fraction_bits) - fraction) >> fraction_bits) * belly;
    return (Cost{whole} << fraction_bits) + fraction + (curve >> fraction_bits);
}

constexpr auto small_logs = [] {
    std::array<std::uint32_t, 512> logs{};
    for (std::uint32_t n = 1; n < logs.size(); ++n) {
        logs[n] = static_cast<std::uint32_t>(log2_of(n));
    }
    return logs;
}();

/// What the symbols take with the best possible codes, and the description of these codes.
Cost cost_of_symbols(std::span<std::uint32_t const> counts) {
    constexpr Cost bits_to_describe_a_code = 4;
    std::uint32_t total = 0;
    Cost saved = 0;
    Cost used = 0;
    for (auto const count : counts) {
        if (count > 0) {
            total += count;
            ++used;
            saved += count * (count < small_logs.size() ? small_logs[count] : log2_of(count));
        }
    }
    auto const described = used * bits_to_describe_a_code << fraction_bits;
    return described + (total == 0 ? 0 : total * log2_of(total) - saved);
}

struct BlockCost {
    Cost compressed = 0;
    Cost plain = 0;
    [[nodiscard]] Cost least() const { return std::min(compressed, plain); }
    /// By more than an estimate may err.
    [[nodiscard]] bool is_noise() const { return compressed > plain + plain / 128; }
};

BlockCost cost_of(SymbolCounts const& counts, std::size_t content_bytes) {
    constexpr Cost bits_of_a_head = 70;
    constexpr Cost bits_of_a_plain_head = 40;
    return {cost_of_symbols(counts.literals) + cost_of_symbols(counts.distances) +
                ((bits_of_a_head + counts.extra_bits) << fraction_bits),
            (Cost{content_bytes} * 8 + bits_of_a_plain_head) << fraction_bits};
}

void count_step(SymbolCounts& counts, DeflateStep const& step, BytesView literals) {
    for (auto const literal : literals) {
        ++counts.literals[static_cast<std::size_t>(literal)];
    }
    if (step.length > 0) {
        auto const length = length_symbol(step.length);
        auto const distance = distance_symbol(step.distance_less_one);
        ++counts.literals[length.symbol];
        ++counts.distances[distance.symbol];
        counts.extra_bits += length.extra_bits + distance.extra_bits;
    }
}

SymbolCounts sum(SymbolCounts const& a, SymbolCounts const& b) {
    SymbolCounts both;
    std::ranges::transform(a.literals, b.literals, both.literals.begin(), std::plus());
    std::ranges::transform(a.distances, b.distances, both.distances.begin(), std::plus());
    both.extra_bits = a.extra_bits + b.extra_bits;
    return both;
}

/// The steps from `first` up to the next multiple of the grain, as a block.
DeflateBlock next_grain(BytesView content, std::span<DeflateStep const> steps, std::size_t first,
                        std::size_t begin) {
    DeflateBlock grain;
    auto const end = (begin / block_grain_bytes + 1) * block_grain_bytes;
    auto at = begin;
    auto index = first;
    for (; index < steps.size() && at < end; ++index) {
        count_step(grain.counts, steps[index], content.subspan(at, steps[index].literals));
        at += steps[index].literals + steps[index].length;
    }
    grain.content = content.subspan(begin, at - begin);
    grain.steps = steps.subspan(first, index - first);
    return grain;
}

} // namespace

std::vector<DeflateBlock> find_blocks(BytesView content, std::span<DeflateStep const> steps) {
    std::vector<DeflateBlock> blocks;
    std::size_t step = 0;
    std::size_t at = 0;
    Cost cost = 0; // of the last block
    while (step < steps.size()) {
        auto grain = next_grain(content, steps, step, at);
        auto const alone = cost_of(grain.counts, grain.content.size());
        step += grain.steps.size();
        at += grain.content.size();
        if (!blocks.empty()) {
            auto& last = blocks.back();
            auto const size = last.content.size() + grain.content.size();
            auto const counts = sum(last.counts, grain.counts);
            auto const joined = cost_of(counts, size);
            if (joined.least() <= cost + alone.least()) {
                last = {{last.content.data(), size},
                        {last.steps.data(), last.steps.size() + grain.steps.size()},
                        counts,
                        joined.is_noise()};
                cost = joined.least();
                continue;
            }
        }
        grain.is_noise = alone.is_noise();
        cost = alone.least();
        blocks.push_back(grain);
    }
    return blocks;
}

} // namespace sinew::firmware
