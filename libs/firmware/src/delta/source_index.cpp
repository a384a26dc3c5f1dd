#include "delta/source_index.hpp"

#include "delta/segment_patch.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace sinew::firmware {

namespace {

/// Votes are counted, and windows are put together, in these units.
constexpr std::size_t unit_bytes = 32u << 10;
/// This far from content that is alike, content that was changed is looked for.
constexpr std::size_t neighbour_units = 8;
constexpr std::size_t hashed_bytes = 64;
/// One position in 64 is a sample.
constexpr unsigned sample_shift = 58;

/// A number of 64 random-looking bits for each value of a byte.
constexpr std::array<std::uint64_t, 256> make_gears() {
    std::array<std::uint64_t, 256> gears{};
    std::uint64_t state = 0;
    for (auto& gear : gears) { // splitmix64
        state += 0x9E3779B97F4A7C15ull;
        auto mixed = (state ^ state >> 30u) * 0xBF58476D1CE4E5B9ull;
        mixed = (mixed ^ mixed >> 27u) * 0x94D049BB133111EBull;
        gear = mixed ^ mixed >> 31u;
    }
    return gears;
}
constexpr auto gears = make_gears();

/// Calls `take` with the end and the hash of every sample.
template<typename Take>
void for_each_sample(BytesView bytes, Take take) {
    std::uint64_t hash = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        hash = (hash << 1u) + gears[std::to_integer<std::size_t>(bytes[at])];
        if (hash >> sample_shift == 0 && at + 1 >= hashed_bytes) {
            take(at + 1, hash);
        }
    }
}

std::size_t place_of(std::uint64_t hash, std::size_t table_size) {
    return static_cast<std::size_t>(hash * 0x9E3779B97F4A7C15ull >> 20u) & (table_size - 1);
}

} // namespace

SourceIndex::SourceIndex(BytesView source)
    : m_source(source)
    , m_positions(std::bit_ceil(source.size() / 32 + 64)) {
    for_each_sample(source, [this](std::size_t end, std::uint64_t hash) {
        m_positions[place_of(hash, m_positions.size())] = static_cast<std::uint32_t>(end);
    });
}

std::vector<std::uint32_t> SourceIndex::votes_for(BytesView target) const {
    std::vector<std::uint32_t> votes((m_source.size() + unit_bytes - 1) / unit_bytes);
    for_each_sample(target, [&](std::size_t end, std::uint64_t hash) {
        auto const position = m_positions[place_of(hash, m_positions.size())];
        if (position >= hashed_bytes &&
            std::ranges::equal(m_source.subspan(position - hashed_bytes, hashed_bytes),
                               target.subspan(end - hashed_bytes, hashed_bytes))) {
            ++votes[(position - 1) / unit_bytes];
        }
    });
    return votes;
}

std::vector<segment_patch::Piece> SourceIndex::pieces_for(BytesView target, std::uint32_t most_bytes) const {
    auto const votes = votes_for(target);
    std::vector<std::size_t> order(votes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t unit) { return votes[unit]; });
    auto room = most_bytes / unit_bytes;
    std::vector<bool> is_chosen(votes.size());
    auto const choose = [&](std::size_t unit) {
        if (unit < votes.size() && !is_chosen[unit] && room > 0) {
            is_chosen[unit] = true;
            --room;
        }
    };
    for (auto const unit : order) {
        if (votes[unit] == 0) {
            break;
        }
        choose(unit);
    }
    // Changed content votes for nothing, but lies beside what does. A larger window costs the encoder time.
    for (std::size_t i = 0; i < neighbour_units && room > 0; ++i) {
        // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): choose() changes is_chosen
        auto const before = is_chosen;
        for (auto const unit : order) {
            if (before[unit]) {
                choose(unit + 1);
                choose(unit - 1);
            }
        }
    }
    std::vector<segment_patch::Piece> pieces;
    for (std::size_t unit = 0; unit < votes.size(); ++unit) {
        if (!is_chosen[unit]) {
            continue;
        }
        auto const offset = unit * unit_bytes;
        auto const length = static_cast<std::uint32_t>(std::min(unit_bytes, m_source.size() - offset));
        if (unit > 0 && is_chosen[unit - 1]) {
            pieces.back().length += length;
        } else {
            pieces.push_back({offset, length});
        }
    }
    return pieces;
}

} // namespace sinew::firmware
