/// The constants of VCDIFF (RFC 3284) that decoder and encoder share: marks, the default table of
/// instruction codes (section 5.6), and the cache of addresses (section 5.1).
///
/// Threading: constants; an AddressCache belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sinew::firmware::vcdiff {

/// "VCD" with the high bits set, then version 0.
inline constexpr std::array<std::uint8_t, 4> magic{0xD6, 0xC3, 0xC4, 0x00};

inline constexpr std::uint8_t header_secondary = 1u << 0;
inline constexpr std::uint8_t header_code_table = 1u << 1;
/// xdelta3's extension: text of the application follows.
inline constexpr std::uint8_t header_application = 1u << 2;

inline constexpr std::uint8_t window_source = 1u << 0;
inline constexpr std::uint8_t window_target = 1u << 1;
/// xdelta3's extension: an Adler-32 of the decoded window.
inline constexpr std::uint8_t window_adler32 = 1u << 2;

enum class Kind : std::uint8_t { none, add, run, copy };

struct Instruction {
    Kind kind = Kind::none;
    /// 0: the size follows as a number.
    std::uint8_t size = 0;
    std::uint8_t mode = 0;
};

struct Code {
    Instruction first;
    Instruction second;
};

inline constexpr std::uint8_t near_slots = 4;
inline constexpr std::uint8_t same_slots = 3;
inline constexpr std::uint8_t mode_count = 2 + near_slots + same_slots;
inline constexpr std::uint8_t mode_self = 0;
inline constexpr std::uint8_t mode_here = 1;

constexpr std::array<Code, 256> make_default_table() {
    std::array<Code, 256> table{};
    std::size_t at = 0;
    table[at++] = {{Kind::run, 0, 0}, {}};
    for (std::uint8_t size = 0; size <= 17; ++size) {
        table[at++] = {{Kind::add, size, 0}, {}};
    }
    for (std::uint8_t mode = 0; mode < mode_count; ++mode) {
        table[at++] = {{Kind::copy, 0, mode}, {}};
        for (std::uint8_t size = 4; size <= 18; ++size) {
            table[at++] = {{Kind::copy, size, mode}, {}};
        }
    }
    for (std::uint8_t mode = 0; mode < mode_count; ++mode) {
        std::uint8_t const longest = mode < 6 ? 6 : 4;
        for (std::uint8_t add = 1; add <= 4; ++add) {
            for (std::uint8_t copy = 4; copy <= longest; ++copy) {
                table[at++] = {{Kind::add, add, 0}, {Kind::copy, copy, mode}};
            }
        }
    }
    for (std::uint8_t mode = 0; mode < mode_count; ++mode) {
        table[at++] = {{Kind::copy, 4, mode}, {Kind::add, 1, 0}};
    }
    return table;
}

inline constexpr std::array<Code, 256> default_table = make_default_table();
static_assert(default_table[19].first.kind == Kind::copy && default_table[255].second.kind == Kind::add);
static_assert(default_table[163].first.size == 1 && default_table[163].second.size == 4);
static_assert(default_table[247].first.kind == Kind::copy && default_table[247].first.mode == 0);

/// The addresses of the last copies of a window.
class AddressCache {
public:
    [[nodiscard]] std::uint64_t near(std::size_t slot) const { return m_near[slot]; }
    [[nodiscard]] std::uint64_t same(std::size_t slot) const { return m_same[slot]; }
    void update(std::uint64_t address) {
        m_near[m_next] = address;
        m_next = (m_next + 1) % near_slots;
        m_same[static_cast<std::size_t>(address % m_same.size())] = address;
    }

private:
    std::array<std::uint64_t, near_slots> m_near{};
    std::array<std::uint64_t, same_slots * std::size_t{256}> m_same{};
    std::size_t m_next = 0;
};

} // namespace sinew::firmware::vcdiff
