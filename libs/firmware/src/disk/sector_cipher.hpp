/// Encryption of a disk's sectors as dm-crypt does it: aes-cbc-plain and aes-xts-plain64, with AES-256.
///
/// Sector numbers count from the beginning of the encrypted range. Invariant: a key is wiped when its cipher
/// is destroyed, and never part of a message. Threading: an object belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sinew::firmware {

class SectorCipher {
public:
    /// `options`: "cipher=aes-cbc-plain" or "cipher=aes-xts-plain64", and "secret=KEY" in hexadecimal or
    /// base64: 32 bytes for cbc, 64 for xts; or both in one text, separated by commas.
    /// Error invalid_argument: another cipher, or a key of the wrong length.
    [[nodiscard]] static Result<SectorCipher> create(std::span<std::string const> options);
    SectorCipher(SectorCipher&& other) noexcept;
    SectorCipher& operator=(SectorCipher&& other) noexcept;
    SectorCipher(SectorCipher const&) = delete;
    SectorCipher& operator=(SectorCipher const&) = delete;
    ~SectorCipher();

    /// Encrypts whole sectors in place; `first_sector` is the number of the first.
    void encrypt(std::uint64_t first_sector, MutableBytesView sectors) const;
    void decrypt(std::uint64_t first_sector, MutableBytesView sectors) const;

private:
    struct State;
    explicit SectorCipher(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace sinew::firmware
