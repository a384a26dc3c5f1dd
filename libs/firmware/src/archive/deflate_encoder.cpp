/// Writes blocks with codes of their own, or as they are. See the header.
#include "archive/deflate_encoder.hpp"

#include "archive/deflate_blocks.hpp"
#include "archive/deflate_matches.hpp"
#include "archive/huffman.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr unsigned longest_code = 15;
constexpr unsigned longest_length_code = 7;
constexpr std::size_t longest_plain = 65535;
enum class Form : std::uint8_t { plain = 0, own_codes = 2 };

/// Collects bits, lowest first. Its buffer must be large enough for all of them, and 8 bytes more.
class BitWriter {
public:
    explicit BitWriter(MutableBytesView into)
        : m_into(into) {}
    /// Up to 48 bits between two calls of flush().
    void put(std::uint64_t bits, unsigned count) {
        m_bits |= bits << m_count;
        m_count += count;
    }
    /// Leaves less than a byte behind.
    void flush() {
        auto bits = m_bits;
        if constexpr (std::endian::native == std::endian::big) {
            bits = __builtin_bswap64(bits);
        }
        std::memcpy(m_into.data() + m_size, &bits, sizeof(bits));
        m_size += m_count / 8;
        m_bits >>= m_count / 8 * 8;
        m_count %= 8;
    }
    [[nodiscard]] bool is_aligned() const { return m_count % 8 == 0; }
    /// Fills up to the end of a byte.
    void align() {
        m_count = (m_count + 7) / 8 * 8;
        flush();
    }
    /// Only behind align().
    void put_bytes(BytesView bytes) {
        std::ranges::copy(bytes, m_into.begin() + static_cast<std::ptrdiff_t>(m_size));
        m_size += bytes.size();
    }
    [[nodiscard]] std::size_t size() const { return m_size; }

private:
    MutableBytesView m_into;
    std::size_t m_size = 0;
    std::uint64_t m_bits = 0;
    unsigned m_count = 0;
};

/// A code for each symbol.
template<std::size_t size>
struct Codes {
    std::array<std::uint8_t, size> lengths{};
    std::array<std::uint16_t, size> codes{};

    Codes(std::span<std::uint32_t const, size> counts, unsigned most) {
        find_code_lengths(counts, most, lengths);
        assign_codes(lengths, codes);
    }
    [[nodiscard]] std::uint64_t bits_of(std::span<std::uint32_t const, size> counts) const {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < size; ++i) {
            bits += std::uint64_t{counts[i]} * lengths[i];
        }
        return bits;
    }
    void put(BitWriter& out, std::size_t symbol) const { out.put(codes[symbol], lengths[symbol]); }
    /// How many lengths must be told; the rest is zero.
    [[nodiscard]] std::size_t used(std::size_t fewest) const {
        auto count = size;
        while (count > fewest && lengths[count - 1] == 0) {
            --count;
        }
        return count;
    }
};

/// The lengths of a block's codes, told in runs (RFC 1951, 3.2.7).
class Description {
public:
    Description(std::span<std::uint8_t const> literals, std::span<std::uint8_t const> distances)
        : m_literals(literals.size())
        , m_distances(distances.size()) {
        std::vector<std::uint8_t> lengths(literals.begin(), literals.end());
        lengths.insert(lengths.end(), distances.begin(), distances.end());
        for (std::size_t i = 0; i < lengths.size();) {
            auto end = i;
            while (end < lengths.size() && lengths[end] == lengths[i]) {
                ++end;
            }
            add_run(lengths[i], end - i);
            i = end;
        }
    }
    void put(BitWriter& out) const {
        Codes<symbols> const codes(m_counts, longest_length_code);
        auto told = symbols;
        while (told > 4 && codes.lengths[order[told - 1]] == 0) {
            --told;
        }
        out.put(m_literals - 257, 5);
        out.put(m_distances - 1, 5);
        out.put(told - 4, 4);
        out.flush();
        for (std::size_t i = 0; i < told; ++i) {
            out.put(codes.lengths[order[i]], 3);
            out.flush();
        }
        for (auto const& run : m_runs) {
            codes.put(out, run.symbol);
            out.put(run.extra, run.extra_bits);
            out.flush();
        }
    }
    /// What put() writes, in bits; not less, and hardly more.
    [[nodiscard]] std::uint64_t bits() const {
        std::uint64_t bits = 14 + symbols * 3;
        Codes<symbols> const codes(m_counts, longest_length_code);
        for (auto const& run : m_runs) {
            bits += codes.lengths[run.symbol] + run.extra_bits;
        }
        return bits;
    }

private:
    static constexpr std::size_t symbols = 19;
    static constexpr std::array<std::uint8_t, symbols> order{16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                             11, 4,  12, 3, 13, 2, 14, 1, 15};
    enum : unsigned { repeat_last = 16, few_zeros = 17, many_zeros = 18 };

    void add(unsigned symbol, unsigned extra_bits = 0, std::size_t extra = 0) {
        m_runs.push_back({symbol, extra_bits, static_cast<unsigned>(extra)});
        ++m_counts[symbol];
    }
    void add_run(unsigned length, std::size_t count) {
        while (length == 0 && count >= 11) {
            auto const part = std::min<std::size_t>(count, 138);
            add(many_zeros, 7, part - 11);
            count -= part;
        }
        if (length == 0 && count >= 3) {
            add(few_zeros, 3, count - 3);
            count = 0;
        }
        if (count > 3) {
            add(length);
            --count;
            while (count >= 3) {
                auto const part = std::min<std::size_t>(count, 6);
                add(repeat_last, 2, part - 3);
                count -= part;
            }
        }
        for (; count > 0; --count) {
            add(length);
        }
    }

    std::size_t m_literals;
    std::size_t m_distances;
    std::vector<DeflateSymbol> m_runs;
    std::array<std::uint32_t, symbols> m_counts{};
};

void put_head(BitWriter& out, Form form) {
    out.put(static_cast<unsigned>(form) << 1u, 3);
    out.flush();
}

void put_plain(BitWriter& out, BytesView content) {
    do {
        auto const part = content.first(std::min(content.size(), longest_plain));
        put_head(out, Form::plain);
        out.align();
        out.put(part.size() | (part.size() ^ 0xFFFFu) << 16u, 32);
        out.flush();
        out.put_bytes(part);
        content = content.subspan(part.size());
    } while (!content.empty());
}

void put_steps(BitWriter& out, DeflateBlock const& block, Codes<literal_symbols> const& literals,
               Codes<distance_symbols> const& distances) {
    std::size_t at = 0;
    for (auto const& step : block.steps) {
        auto const bytes = block.content.subspan(at, step.literals);
        std::size_t i = 0;
        for (; i + 3 <= bytes.size(); i += 3) { // 3 codes fit between two flushes
            literals.put(out, static_cast<std::size_t>(bytes[i]));
            literals.put(out, static_cast<std::size_t>(bytes[i + 1]));
            literals.put(out, static_cast<std::size_t>(bytes[i + 2]));
            out.flush();
        }
        for (; i < bytes.size(); ++i) {
            literals.put(out, static_cast<std::size_t>(bytes[i]));
        }
        out.flush();
        at += step.literals + step.length;
        if (step.length > 0) {
            auto const length = length_symbol(step.length);
            auto const distance = distance_symbol(step.distance_less_one);
            literals.put(out, length.symbol);
            out.put(length.extra, length.extra_bits);
            distances.put(out, distance.symbol);
            out.put(distance.extra, distance.extra_bits);
            out.flush();
        }
    }
    literals.put(out, end_of_block);
    out.flush();
}

void put_block(BitWriter& out, DeflateBlock& block) {
    if (block.is_noise) {
        put_plain(out, block.content);
        return;
    }
    block.counts.literals[end_of_block] = 1;
    Codes<literal_symbols> const literals(block.counts.literals, longest_code);
    Codes<distance_symbols> const distances(block.counts.distances, longest_code);
    Description const description(std::span(literals.lengths).first(literals.used(257)),
                                  std::span(distances.lengths).first(distances.used(1)));
    auto const bits = 3 + description.bits() + literals.bits_of(block.counts.literals) +
                      distances.bits_of(block.counts.distances) + block.counts.extra_bits;
    if (bits >= (block.content.size() + 4) * 8) {
        put_plain(out, block.content);
        return;
    }
    put_head(out, Form::own_codes);
    description.put(out);
    put_steps(out, block, literals, distances);
}

} // namespace

Bytes DeflateEncoder::encode(BytesView content) {
    auto blocks = find_blocks(content, m_matches.find(content));
    constexpr std::size_t head_room = 16;
    Bytes out(content.size() + (blocks.size() + content.size() / longest_plain + 2) * head_room);
    BitWriter writer(out);
    for (auto& block : blocks) {
        put_block(writer, block);
    }
    if (!writer.is_aligned()) {
        put_plain(writer, {});
    }
    out.resize(writer.size());
    return out;
}

} // namespace sinew::firmware
