/// The two modes of dm-crypt over AES.
#include "disk/sector_cipher.hpp"

#include "disk/aes256.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

using AesBlock = std::array<std::byte, Aes256::block_bytes>;

enum class Mode : std::uint8_t { cbc_plain, xts_plain64 };
enum class Direction : std::uint8_t { encrypt, decrypt };

/// Hexadecimal or base64 text of exactly `size` bytes.
std::optional<Bytes> parse_secret(std::string_view text, std::size_t size) {
    if (text.size() == 2 * size) {
        auto bytes = from_hex(text);
        return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
    }
    Bytes bytes(size);
    std::size_t length = 0;
    bool const is_base64 =
        sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), size, text.data(), text.size(),
                          nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
    return is_base64 && length == size ? std::optional(std::move(bytes)) : std::nullopt;
}

/// Multiplies by x in GF(2^128), little-endian, as XTS steps its tweak from block to block.
void double_tweak(AesBlock& tweak) {
    unsigned carry = 0;
    for (auto& byte : tweak) {
        unsigned const wide = std::to_integer<unsigned>(byte) << 1 | carry;
        byte = static_cast<std::byte>(wide & 0xFF);
        carry = wide >> 8;
    }
    if (carry != 0) {
        tweak[0] ^= std::byte{0x87};
    }
}

void mix_in(std::span<std::byte, Aes256::block_bytes> block,
            std::span<std::byte const, Aes256::block_bytes> other) {
    for (std::size_t i = 0; i < block.size(); ++i) {
        block[i] ^= other[i];
    }
}

std::span<std::byte, Aes256::block_bytes> block_at(MutableBytesView sector, std::size_t at) {
    return sector.subspan(at).first<Aes256::block_bytes>();
}

struct Words {
    std::string_view cipher;
    std::string_view secret;
};

Result<Words> parse_words(std::span<std::string const> options) {
    Words words;
    for (std::string_view rest : options) {
        while (!rest.empty()) {
            auto const word = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(word.size() + 1, rest.size()));
            if (word.starts_with("cipher=")) {
                words.cipher = word.substr(7);
            } else if (word.starts_with("secret=")) {
                words.secret = word.substr(7);
            } else {
                auto const name = word.substr(0, word.find('='));
                return failure(ErrorCode::invalid_argument, "unknown option '" +
                                                                std::string(name.substr(0, 40)) +
                                                                "'; there are cipher=... and secret=...");
            }
        }
    }
    return words;
}

} // namespace

struct SectorCipher::State {
    Mode mode = Mode::cbc_plain;
    Aes256 content;
    /// Only of XTS.
    std::optional<Aes256> tweak;

    State(Mode chosen, BytesView key)
        : mode(chosen)
        , content(key.first<Aes256::key_bytes>()) {
        if (mode == Mode::xts_plain64) {
            tweak.emplace(key.subspan<Aes256::key_bytes, Aes256::key_bytes>());
        }
    }

    void cbc(std::uint64_t number, MutableBytesView sector, Direction direction) const {
        AesBlock previous{};
        store_le32(previous, 0, static_cast<std::uint32_t>(number));
        for (std::size_t at = 0; at < sector.size(); at += Aes256::block_bytes) {
            auto const block = block_at(sector, at);
            if (direction == Direction::encrypt) {
                mix_in(block, previous);
                content.encrypt(block);
                std::ranges::copy(block, previous.begin());
            } else {
                AesBlock next{};
                std::ranges::copy(block, next.begin());
                content.decrypt(block);
                mix_in(block, previous);
                previous = next;
            }
        }
    }

    void xts(std::uint64_t number, MutableBytesView sector, Direction direction) const {
        AesBlock mask{};
        store_le64(mask, 0, number);
        tweak->encrypt(mask); // NOLINT(bugprone-unchecked-optional-access): made with this mode
        for (std::size_t at = 0; at < sector.size(); at += Aes256::block_bytes) {
            auto const block = block_at(sector, at);
            mix_in(block, mask);
            if (direction == Direction::encrypt) {
                content.encrypt(block);
            } else {
                content.decrypt(block);
            }
            mix_in(block, mask);
            double_tweak(mask);
        }
    }

    void run(std::uint64_t number, MutableBytesView sectors, Direction direction) const {
        for (std::size_t at = 0; at + block_size_bytes <= sectors.size(); at += block_size_bytes, ++number) {
            auto const sector = sectors.subspan(at, block_size_bytes);
            if (mode == Mode::cbc_plain) {
                cbc(number, sector, direction);
            } else {
                xts(number, sector, direction);
            }
        }
    }
};

SectorCipher::SectorCipher(std::unique_ptr<State> state)
    : m_state(std::move(state)) {}
SectorCipher::SectorCipher(SectorCipher&& other) noexcept = default;
SectorCipher& SectorCipher::operator=(SectorCipher&& other) noexcept = default;
SectorCipher::~SectorCipher() = default;

Result<SectorCipher> SectorCipher::create(std::span<std::string const> options) {
    TRY(auto const words, parse_words(options));
    bool const is_xts = words.cipher == "aes-xts-plain64";
    if (!is_xts && words.cipher != "aes-cbc-plain") {
        return failure(ErrorCode::invalid_argument, "unknown cipher '" +
                                                        std::string(words.cipher.substr(0, 40)) +
                                                        "'; use aes-cbc-plain or aes-xts-plain64");
    }
    auto const size = is_xts ? 2 * Aes256::key_bytes : Aes256::key_bytes;
    auto key = parse_secret(words.secret, size);
    if (!key) {
        return failure(ErrorCode::invalid_argument, "secret must be " + std::to_string(size) + " bytes for " +
                                                        std::string(words.cipher) +
                                                        ", as hexadecimal digits or base64");
    }
    auto state = std::make_unique<State>(is_xts ? Mode::xts_plain64 : Mode::cbc_plain, *key);
    sodium_memzero(key->data(), key->size());
    return SectorCipher(std::move(state));
}

void SectorCipher::encrypt(std::uint64_t first_sector, MutableBytesView sectors) const {
    m_state->run(first_sector, sectors, Direction::encrypt);
}

void SectorCipher::decrypt(std::uint64_t first_sector, MutableBytesView sectors) const {
    m_state->run(first_sector, sectors, Direction::decrypt);
}

} // namespace sinew::firmware
