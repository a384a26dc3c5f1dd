/// The block cipher AES with a key of 256 bits (FIPS 197).
///
/// It looks values up in tables, so its time depends on key and data: right for a disk that this very device
/// encrypts, wrong for a service that strangers can time. Threading: const calls from any thread.
#pragma once

#include <sinew/base/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sinew::firmware {

class Aes256 {
public:
    static constexpr std::size_t block_bytes = 16;
    static constexpr std::size_t key_bytes = 32;

    explicit Aes256(std::span<std::byte const, key_bytes> key);
    Aes256(Aes256 const&) = delete;
    Aes256& operator=(Aes256 const&) = delete;
    /// Wipes the key.
    ~Aes256();

    /// In place.
    void encrypt(std::span<std::byte, block_bytes> block) const;
    void decrypt(std::span<std::byte, block_bytes> block) const;

private:
    static constexpr std::size_t rounds = 14;
    /// Each word is a column, its first byte the lowest.
    std::array<std::uint32_t, 4 * (rounds + 1)> m_round_keys{};
    /// The same without their mixing, which lets decryption use the same steps as encryption.
    std::array<std::uint32_t, 4 * (rounds + 1)> m_unmixed_keys{};
};

} // namespace sinew::firmware
