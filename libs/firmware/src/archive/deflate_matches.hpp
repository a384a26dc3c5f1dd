/// The matches of a piece of content: which parts of it came before, as deflate can say it.
///
/// Invariant: what comes out describes the content exactly. Threading: an object belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sinew::firmware {

/// Some bytes as they are, and then some from further back.
struct DeflateStep {
    std::uint32_t literals = 0;
    /// 3 to 258, or 0: nothing from further back.
    std::uint16_t length = 0;
    /// How far back, less one.
    std::uint16_t distance_less_one = 0;
};

/// Literals of one step never cross a multiple of this: a place where a block may begin.
inline constexpr std::size_t block_grain_bytes = 4096;

class DeflateMatches {
public:
    /// `level` 1 (fast) .. 9 (small).
    explicit DeflateMatches(int level);
    DeflateMatches(DeflateMatches const&) = delete;
    DeflateMatches& operator=(DeflateMatches const&) = delete;
    ~DeflateMatches();
    /// The steps that make up `content` (at most 16 MiB); valid until the next call.
    [[nodiscard]] std::vector<DeflateStep> const& find(BytesView content);

private:
    struct Table;
    void add(std::size_t literals, std::size_t length, std::size_t distance);

    std::unique_ptr<Table> m_table;
    std::vector<DeflateStep> m_steps;
    /// How much of the content `m_steps` make up.
    std::size_t m_size = 0;
};

} // namespace sinew::firmware
