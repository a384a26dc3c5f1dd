/// The search: hash chains over the last 32 KiB, and a look at the next byte before a match is taken. See the
/// header.
#include "archive/deflate_matches.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t window_bytes = 32768;
constexpr std::size_t shortest_match = 3;
constexpr std::size_t longest_match = 258;
/// Three bytes from further back take more bits than three literals.
constexpr std::size_t farthest_short_match = 4096;
/// What load() reads.
constexpr std::size_t load_bytes = 8;
constexpr unsigned chain_hash_bits = 15;
constexpr unsigned short_hash_bits = 13;

/// A match of at least this length ends the search for a longer one.
constexpr std::size_t enough_length = 32;

/// How hard a level looks.
struct Effort {
    /// How many places it compares, and how many for the byte behind a match.
    unsigned places = 0;
    unsigned places_behind = 0;
    /// A match this long is taken without a look at what follows.
    unsigned good_length = 0;
    /// After 2^this bytes without a match, it looks at every second place, and so on: noise is passed fast.
    unsigned patience_log = 8;
};

constexpr std::array<Effort, 10> efforts{{{},
                                          {2, 0, 0, 6},
                                          {3, 0, 0, 7},
                                          {4, 0, 0, 7},
                                          {4, 2, 16, 7},
                                          {6, 3, 20, 8},
                                          {8, 4, 24, 8},
                                          {14, 7, 32, 8},
                                          {24, 12, 64, 8},
                                          {60, 30, 130, 9}}};

std::uint64_t load(std::byte const* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof(value));
    if constexpr (std::endian::native == std::endian::big) {
        value = __builtin_bswap64(value);
    }
    return value;
}

std::size_t hash_of(std::uint64_t value, unsigned bytes, unsigned bits) {
    constexpr std::uint32_t spread = 0x9E3779B1;
    return (static_cast<std::uint32_t>(value << (32 - 8 * bytes)) * spread) >> (32 - bits);
}

struct Match {
    std::size_t length = 0;
    std::size_t distance = 0;
};

/// Whether `later`, found one byte behind `first`, saves more bits than it.
bool is_better(Match const& later, Match const& first) {
    auto const log2 = [](std::size_t n) { return static_cast<int>(std::bit_width(n)); };
    return 4 * (static_cast<int>(later.length) - static_cast<int>(first.length)) + log2(first.distance) -
               log2(later.distance) >
           2;
}

} // namespace

/// Where bytes came before. Places are stored plus one, so that zero is none.
struct DeflateMatches::Table {
    std::array<std::uint32_t, std::size_t{1} << chain_hash_bits> newest{};
    std::array<std::uint32_t, std::size_t{1} << short_hash_bits> newest_short{};
    std::array<std::uint32_t, window_bytes> older{};
    Effort effort;
    BytesView content;

    explicit Table(int level)
        : effort(efforts[static_cast<std::size_t>(std::clamp(level, 1, 9))]) {}

    void begin(BytesView bytes) {
        newest.fill(0);
        newest_short.fill(0);
        content = bytes;
    }
    [[nodiscard]] std::size_t end_of_search() const {
        return content.size() < load_bytes ? 0 : content.size() - load_bytes + 1;
    }
    [[nodiscard]] std::size_t common_length(std::size_t a, std::size_t b) const {
        auto const most = std::min(longest_match, content.size() - b);
        std::size_t length = 0;
        while (length + load_bytes <= most) {
            auto const difference = load(&content[a + length]) ^ load(&content[b + length]);
            if (difference != 0) {
                return length + static_cast<std::size_t>(std::countr_zero(difference)) / 8;
            }
            length += load_bytes;
        }
        while (length < most && content[a + length] == content[b + length]) {
            ++length;
        }
        return length;
    }
    /// Makes `at` known. `at` is less than end_of_search().
    void insert(std::size_t at) {
        auto const value = load(&content[at]);
        auto& head = newest[hash_of(value, 4, chain_hash_bits)];
        older[at % window_bytes] = head;
        head = static_cast<std::uint32_t>(at + 1);
        newest_short[hash_of(value, 3, short_hash_bits)] = head;
    }
    /// The best match at `at` that is longer than `than`, and makes `at` known.
    Match find(std::size_t at, std::size_t than, unsigned places) {
        auto const value = load(&content[at]);
        Match best{than, 0};
        if (than < shortest_match) {
            std::size_t const place = newest_short[hash_of(value, 3, short_hash_bits)];
            if (place > 0 && at + 1 - place <= farthest_short_match &&
                (load(&content[place - 1]) ^ value) << 40u == 0) {
                best = {common_length(place - 1, at), at + 1 - place};
            }
        }
        std::size_t place = newest[hash_of(value, 4, chain_hash_bits)];
        insert(at);
        for (; places > 0 && place > 0 && at + 1 - place <= window_bytes; --places) {
            auto const candidate = place - 1;
            // Only what is longer helps, so the bytes up to there are looked at first.
            auto const tail = best.length < shortest_match ? 0 : best.length - shortest_match;
            if (best.length < std::min(longest_match, content.size() - at) &&
                load_tail(candidate + tail) == load_tail(at + tail)) {
                auto const length = common_length(candidate, at);
                if (length > best.length) {
                    best = {length, at - candidate};
                    if (length >= std::max<std::size_t>(effort.good_length, enough_length)) {
                        break;
                    }
                }
            }
            auto const next = older[candidate % window_bytes];
            if (next >= place) {
                break; // overwritten by a newer place
            }
            place = next;
        }
        return best.distance == 0 ? Match{} : best;
    }

private:
    [[nodiscard]] std::uint32_t load_tail(std::size_t at) const {
        std::uint32_t value = 0;
        std::memcpy(&value, &content[at], sizeof(value));
        return value;
    }
};

DeflateMatches::DeflateMatches(int level)
    : m_table(std::make_unique<Table>(level)) {}

DeflateMatches::~DeflateMatches() = default;

void DeflateMatches::add(std::size_t literals, std::size_t length, std::size_t distance) {
    while (true) {
        auto const to_grain = block_grain_bytes - m_size % block_grain_bytes;
        if (literals < to_grain) {
            break;
        }
        m_steps.push_back({static_cast<std::uint32_t>(to_grain), 0, 0});
        m_size += to_grain;
        literals -= to_grain;
    }
    m_size += literals + length;
    if (literals + length > 0) {
        m_steps.push_back({static_cast<std::uint32_t>(literals), static_cast<std::uint16_t>(length),
                           static_cast<std::uint16_t>(length > 0 ? distance - 1 : 0)});
    }
}

std::vector<DeflateStep> const& DeflateMatches::find(BytesView content) {
    auto& table = *m_table;
    auto const& effort = table.effort;
    table.begin(content);
    m_steps.clear();
    m_size = 0;
    auto const end = table.end_of_search();
    std::size_t done = 0;
    for (std::size_t at = 0; at < end;) {
        auto match = table.find(at, 0, effort.places);
        if (match.length == 0) {
            at += 1 + ((at - done) >> effort.patience_log);
            continue;
        }
        while (match.length < effort.good_length && at + 1 < end) {
            auto const later = table.find(at + 1, match.length - 1, effort.places_behind);
            if (later.length == 0 || !is_better(later, match)) {
                break;
            }
            match = later;
            ++at;
        }
        add(at - done, match.length, match.distance);
        done = at + match.length;
        // The first place is known, and the second too if it was looked at.
        for (auto i = at + (effort.good_length > 0 ? 2 : 1); i < std::min(done, end); ++i) {
            table.insert(i);
        }
        at = done;
    }
    add(content.size() - done, 0, 0);
    return m_steps;
}

} // namespace sinew::firmware
