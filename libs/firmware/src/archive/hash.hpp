/// BLAKE2b-256 as data passes by.
///
/// Threading: an object belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>

#include <sodium.h>

#include <array>
#include <cstddef>
#include <string>

namespace sinew::firmware {

class Blake2b256 {
public:
    using Digest = std::array<std::byte, 32>;
    Blake2b256() { crypto_generichash_init(&m_state, nullptr, 0, sizeof(Digest)); }
    void update(BytesView bytes) {
        crypto_generichash_update(&m_state, reinterpret_cast<unsigned char const*>(bytes.data()),
                                  bytes.size());
    }
    /// Once, at the end.
    [[nodiscard]] Digest finish() {
        Digest digest{};
        crypto_generichash_final(&m_state, reinterpret_cast<unsigned char*>(digest.data()), digest.size());
        return digest;
    }
    [[nodiscard]] std::string finish_hex() { return to_hex(finish()); }

private:
    crypto_generichash_state m_state{};
};

} // namespace sinew::firmware
