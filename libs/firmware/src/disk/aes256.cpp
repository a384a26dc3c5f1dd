/// FIPS 197, with its tables computed at compile time.
#include "disk/aes256.hpp"

#include <sinew/base/bytes.hpp>

#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sinew::firmware {

namespace {

using Table = std::array<std::uint8_t, 256>;
using WideTable = std::array<std::uint32_t, 256>;
using State = std::array<std::uint32_t, 4>;

/// Multiplies by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
constexpr std::uint8_t times_x(std::uint8_t value) {
    return static_cast<std::uint8_t>(value << 1 ^ ((value & 0x80) != 0 ? 0x1B : 0));
}

constexpr std::uint8_t multiply(std::uint8_t a, std::uint8_t b) {
    std::uint8_t product = 0;
    for (; b != 0; b = static_cast<std::uint8_t>(b >> 1)) {
        product = static_cast<std::uint8_t>(product ^ ((b & 1) != 0 ? a : 0));
        a = times_x(a);
    }
    return product;
}

constexpr Table make_substitution() {
    Table table{};
    std::uint8_t power = 1;   // runs through the powers of x + 1, which are all values but 0
    std::uint8_t inverse = 1; // and this one through their inverses, the powers of 0xF6
    do {
        power = multiply(power, 3);
        inverse = multiply(inverse, 0xF6);
        auto const rotated = [&](int bits) { return std::rotl(inverse, bits); };
        table[power] =
            static_cast<std::uint8_t>(inverse ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63);
    } while (power != 1);
    table[0] = 0x63;
    return table;
}

constexpr Table substitution = make_substitution();

constexpr Table make_inverse_substitution() {
    Table table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[substitution[i]] = static_cast<std::uint8_t>(i);
    }
    return table;
}

constexpr Table inverse_substitution = make_inverse_substitution();

/// A byte times a column of the matrix that mixes columns.
constexpr std::uint32_t column(std::uint8_t byte, std::array<std::uint8_t, 4> const& factors) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < factors.size(); ++i) {
        word |= std::uint32_t{multiply(byte, factors[i])} << (8 * i);
    }
    return word;
}

constexpr std::array<std::uint8_t, 4> mix{2, 1, 1, 3};
constexpr std::array<std::uint8_t, 4> unmix{14, 9, 13, 11};

/// Substitution and mixing in one step.
constexpr WideTable make_rounds(Table const& bytes, std::array<std::uint8_t, 4> const& factors) {
    WideTable table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = column(bytes[i], factors);
    }
    return table;
}

constexpr WideTable encrypting = make_rounds(substitution, mix);
constexpr WideTable decrypting = make_rounds(inverse_substitution, unmix);

constexpr std::uint8_t byte_of(std::uint32_t word, std::size_t index) {
    return static_cast<std::uint8_t>(word >> (8 * index));
}

std::uint32_t substitute(std::uint32_t word, Table const& table) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        out |= std::uint32_t{table[byte_of(word, i)]} << (8 * i);
    }
    return out;
}

/// Row r of the result's column c comes from column c + r * step: how rows are shifted.
template<std::size_t step>
State shifted_round(State const& state, WideTable const& table, std::uint32_t const* round_key) {
    State out{};
    for (std::size_t c = 0; c < 4; ++c) {
        out[c] = round_key[c];
        for (std::size_t r = 0; r < 4; ++r) {
            auto const byte = byte_of(state[(c + r * step) % 4], r);
            out[c] ^= std::rotl(table[byte], static_cast<int>(8 * r));
        }
    }
    return out;
}

template<std::size_t step>
State last_round(State const& state, Table const& table, std::uint32_t const* round_key) {
    State out{};
    for (std::size_t c = 0; c < 4; ++c) {
        out[c] = round_key[c];
        for (std::size_t r = 0; r < 4; ++r) {
            out[c] ^= std::uint32_t{table[byte_of(state[(c + r * step) % 4], r)]} << (8 * r);
        }
    }
    return out;
}

State load(BytesView block) {
    return {load_le32(block, 0), load_le32(block, 4), load_le32(block, 8), load_le32(block, 12)};
}

void store(State const& state, MutableBytesView block) {
    for (std::size_t i = 0; i < state.size(); ++i) {
        store_le32(block, 4 * i, state[i]);
    }
}

std::uint32_t unmixed(std::uint32_t word) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        out ^= std::rotl(decrypting[substitution[byte_of(word, i)]], static_cast<int>(8 * i));
    }
    return out;
}

} // namespace

Aes256::Aes256(std::span<std::byte const, key_bytes> key) {
    constexpr std::size_t key_words = key_bytes / 4;
    for (std::size_t i = 0; i < key_words; ++i) {
        m_round_keys[i] = load_le32(key, 4 * i);
    }
    std::uint8_t constant = 1;
    for (std::size_t i = key_words; i < m_round_keys.size(); ++i) {
        auto word = m_round_keys[i - 1];
        if (i % key_words == 0) {
            word = substitute(std::rotr(word, 8), substitution) ^ constant;
            constant = times_x(constant);
        } else if (i % key_words == 4) {
            word = substitute(word, substitution);
        }
        m_round_keys[i] = m_round_keys[i - key_words] ^ word;
    }
    std::ranges::transform(m_round_keys, m_unmixed_keys.begin(), unmixed);
}

Aes256::~Aes256() {
    sodium_memzero(m_round_keys.data(), sizeof(m_round_keys));
    sodium_memzero(m_unmixed_keys.data(), sizeof(m_unmixed_keys));
}

void Aes256::encrypt(std::span<std::byte, block_bytes> block) const {
    auto state = load(block);
    for (std::size_t i = 0; i < state.size(); ++i) {
        state[i] ^= m_round_keys[i];
    }
    for (std::size_t round = 1; round < rounds; ++round) {
        state = shifted_round<1>(state, encrypting, &m_round_keys[4 * round]);
    }
    store(last_round<1>(state, substitution, &m_round_keys[4 * rounds]), block);
}

void Aes256::decrypt(std::span<std::byte, block_bytes> block) const {
    auto state = load(block);
    for (std::size_t i = 0; i < state.size(); ++i) {
        state[i] ^= m_round_keys[4 * rounds + i];
    }
    for (std::size_t round = rounds - 1; round > 0; --round) {
        state = shifted_round<3>(state, decrypting, &m_unmixed_keys[4 * round]);
    }
    store(last_round<3>(state, inverse_substitution, m_round_keys.data()), block);
}

} // namespace sinew::firmware
