/// The encoder: greedy matching against a table of the source's blocks.
#include "delta/vcdiff_encoder.hpp"

#include "delta/vcdiff_code.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace sinew::firmware {

namespace {

/// Small enough for a device: a decoder holds one window.
constexpr std::size_t window_bytes = 2u << 20;
/// The source is remembered in blocks of this size; equal content of nearly twice that is always found.
constexpr std::size_t block_bytes = 16;
/// Shorter copies cost more than they save.
constexpr std::size_t shortest_copy = 12;

void append_number(Bytes& out, std::uint64_t value) {
    std::array<std::byte, 10> digits{};
    auto at = digits.size();
    digits[--at] = static_cast<std::byte>(value & 0x7Fu);
    for (value >>= 7u; value != 0; value >>= 7u) {
        digits[--at] = static_cast<std::byte>(0x80u | (value & 0x7Fu));
    }
    out.insert(out.end(), digits.begin() + static_cast<std::ptrdiff_t>(at), digits.end());
}

std::size_t number_bytes(std::uint64_t value) {
    return std::max<std::size_t>(1, (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7);
}

/// The three sections of a window.
class WindowWriter {
public:
    explicit WindowWriter(std::uint64_t source_bytes)
        : m_source_bytes(source_bytes) {}

    void add(BytesView bytes) {
        constexpr std::uint8_t add_code = 1;
        if (bytes.empty()) {
            return;
        }
        put_instruction(add_code, bytes.size() <= 17 ? bytes.size() : 0, bytes.size());
        m_data.insert(m_data.end(), bytes.begin(), bytes.end());
        m_done += bytes.size();
    }

    void copy(std::uint64_t address, std::size_t size) {
        constexpr std::uint8_t first_copy_code = 19;
        constexpr std::uint8_t codes_a_mode = 16;
        auto const mode = put_address(address);
        bool const is_short = size >= 4 && size <= 18;
        put_instruction(static_cast<std::uint8_t>(first_copy_code + mode * codes_a_mode),
                        is_short ? size - 3 : 0, size);
        m_done += size;
    }

    /// The window with its header.
    [[nodiscard]] Bytes finish(BytesView target) const {
        Bytes rest;
        append_number(rest, target.size());
        rest.push_back(std::byte{0}); // nothing is compressed inside
        append_number(rest, m_data.size());
        append_number(rest, m_instructions.size());
        append_number(rest, m_addresses.size());
        auto const sum = adler32_z(adler32_z(0, nullptr, 0),
                                   reinterpret_cast<unsigned char const*>(target.data()), target.size());
        std::array<std::byte, 4> sum_bytes{};
        store_be32(sum_bytes, 0, static_cast<std::uint32_t>(sum));
        rest.insert(rest.end(), sum_bytes.begin(), sum_bytes.end());
        for (auto const* section : {&m_data, &m_instructions, &m_addresses}) {
            rest.insert(rest.end(), section->begin(), section->end());
        }
        Bytes window;
        bool const has_source = m_source_bytes > 0;
        window.push_back(std::byte{
            static_cast<std::uint8_t>(vcdiff::window_adler32 | (has_source ? vcdiff::window_source : 0))});
        if (has_source) {
            append_number(window, m_source_bytes);
            append_number(window, 0);
        }
        append_number(window, rest.size());
        window.insert(window.end(), rest.begin(), rest.end());
        return window;
    }

private:
    void put_instruction(std::uint8_t first_code, std::size_t place, std::size_t size) {
        m_instructions.push_back(std::byte{static_cast<std::uint8_t>(first_code + place)});
        if (place == 0) {
            append_number(m_instructions, size);
        }
    }

    /// Writes the address in the shortest mode and returns that.
    std::uint8_t put_address(std::uint64_t address) {
        constexpr std::uint8_t first_same = 2 + vcdiff::near_slots;
        auto const here = m_source_bytes + m_done;
        std::uint8_t mode = vcdiff::mode_self;
        auto value = address;
        auto const consider = [&](std::uint8_t candidate, std::uint64_t its_value) {
            if (number_bytes(its_value) < number_bytes(value)) {
                mode = candidate;
                value = its_value;
            }
        };
        consider(vcdiff::mode_here, here - address);
        for (std::uint8_t slot = 0; slot < vcdiff::near_slots; ++slot) {
            if (address >= m_cache.near(slot)) {
                consider(static_cast<std::uint8_t>(2 + slot), address - m_cache.near(slot));
            }
        }
        auto const place = static_cast<std::size_t>(address % (vcdiff::same_slots * std::size_t{256}));
        bool const is_same = m_cache.same(place) == address;
        m_cache.update(address);
        if (is_same && number_bytes(value) > 1) {
            m_addresses.push_back(static_cast<std::byte>(place % 256));
            return static_cast<std::uint8_t>(first_same + place / 256);
        }
        append_number(m_addresses, value);
        return mode;
    }

    std::uint64_t m_source_bytes;
    std::uint64_t m_done = 0;
    Bytes m_data;
    Bytes m_instructions;
    Bytes m_addresses;
    vcdiff::AddressCache m_cache;
};

std::uint64_t load_block(BytesView bytes, std::size_t at) {
    return load_le64(bytes, at) * 0x9E3779B97F4A7C15ull ^ load_le64(bytes, at + 8) * 0xC2B2AE3D27D4EB4Full;
}

/// Where each block of the source is.
class BlockTable {
public:
    explicit BlockTable(BytesView source)
        : m_source(source)
        , m_places(std::bit_ceil(source.size() / block_bytes * 2 + 2)) {
        for (std::size_t at = 0; at + block_bytes <= source.size(); at += block_bytes) {
            m_places[place_of(load_block(source, at))] = static_cast<std::uint32_t>(at) + 1;
        }
    }
    /// A place of the source with the same 16 bytes as `target` has at `at`.
    [[nodiscard]] std::optional<std::size_t> find(BytesView target, std::size_t at) const {
        auto const found = m_places[place_of(load_block(target, at))];
        if (found == 0 ||
            !std::ranges::equal(m_source.subspan(found - 1, block_bytes), target.subspan(at, block_bytes))) {
            return std::nullopt;
        }
        return found - 1;
    }

private:
    [[nodiscard]] std::size_t place_of(std::uint64_t block) const {
        return static_cast<std::size_t>((block ^ block >> 29u) * 0x94D049BB133111EBull >> 24u) &
               (m_places.size() - 1);
    }
    BytesView m_source;
    std::vector<std::uint32_t> m_places;
};

std::size_t equal_length(BytesView first, BytesView second) {
    auto const [in_first, in_second] = std::ranges::mismatch(first, second);
    return static_cast<std::size_t>(in_first - first.begin());
}

class WindowEncoder {
public:
    WindowEncoder(BlockTable const& table, BytesView source, BytesView target)
        : m_table(table)
        , m_source(source)
        , m_target(target)
        , m_writer(source.size()) {}

    Bytes run() {
        while (m_at < m_target.size()) {
            if (!copy_here()) {
                ++m_at;
            }
        }
        m_writer.add(m_target.subspan(m_literals));
        return m_writer.finish(m_target);
    }

private:
    /// Copies what is equal at the present place, if it is worth it.
    bool copy_here() {
        // First where the last copy left off: changed bytes in the middle of a file.
        if (m_expected && *m_expected < m_source.size() && copy_from(*m_expected)) {
            return true;
        }
        if (m_expected) {
            ++*m_expected;
        }
        if (m_at + block_bytes > m_target.size()) {
            return false;
        }
        auto const found = m_table.find(m_target, m_at);
        return found && copy_from(*found);
    }

    bool copy_from(std::size_t from) {
        auto const ahead = equal_length(m_source.subspan(from), m_target.subspan(m_at));
        if (ahead < shortest_copy) {
            return false;
        }
        std::size_t behind = 0;
        while (behind < from && m_at - behind > m_literals &&
               m_source[from - behind - 1] == m_target[m_at - behind - 1]) {
            ++behind;
        }
        m_writer.add(m_target.subspan(m_literals, m_at - behind - m_literals));
        m_writer.copy(from - behind, ahead + behind);
        m_at += ahead;
        m_literals = m_at;
        m_expected = from + ahead;
        return true;
    }

    BlockTable const& m_table;
    BytesView m_source;
    BytesView m_target;
    WindowWriter m_writer;
    std::size_t m_at = 0;
    /// Where the bytes begin that no copy covers.
    std::size_t m_literals = 0;
    /// Where in the source it would go on if nothing was inserted or removed.
    std::optional<std::size_t> m_expected;
};

} // namespace

Result<Bytes> encode_vcdiff(BytesView source, BytesView target,
                            std::function<void(std::uint64_t)> const& on_bytes) {
    if (source.size() >= std::numeric_limits<std::uint32_t>::max()) {
        return failure(ErrorCode::invalid_argument, "a patch can't be made from 4 GiB or more");
    }
    auto const magic = std::as_bytes(std::span(vcdiff::magic));
    Bytes patch(magic.begin(), magic.end());
    patch.push_back(std::byte{0}); // no compression inside, no table, no text
    BlockTable const table(source);
    for (std::size_t at = 0; at < target.size(); at += window_bytes) {
        auto const part = target.subspan(at, std::min(window_bytes, target.size() - at));
        auto const window = WindowEncoder(table, source, part).run();
        patch.insert(patch.end(), window.begin(), window.end());
        if (on_bytes) {
            on_bytes(part.size());
        }
    }
    return patch;
}

} // namespace sinew::firmware
