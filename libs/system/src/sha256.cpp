/// SHA-256 by libsodium.
#include "sha256.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sodium/crypto_hash_sha256.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

namespace {

unsigned char const* raw(std::byte const* bytes) {
    return reinterpret_cast<unsigned char const*>(bytes);
}

class Hash {
public:
    Hash() { crypto_hash_sha256_init(&m_state); }
    void add(BytesView bytes) { crypto_hash_sha256_update(&m_state, raw(bytes.data()), bytes.size()); }
    [[nodiscard]] std::string finish() {
        std::array<std::byte, crypto_hash_sha256_BYTES> digest{};
        crypto_hash_sha256_final(&m_state, reinterpret_cast<unsigned char*>(digest.data()));
        return to_hex(digest);
    }

private:
    crypto_hash_sha256_state m_state{};
};

} // namespace

std::string sha256_text(std::string_view text) {
    Hash hash;
    hash.add(as_bytes(text));
    return hash.finish();
}

Result<std::string> sha256_file(std::filesystem::path const& path) {
    TRY(auto const file, open_file(path, O_RDONLY));
    Hash hash;
    std::vector<std::byte> buffer(1u << 20);
    while (true) {
        TRY(auto const count, read_some(file, buffer));
        if (count == 0) {
            return hash.finish();
        }
        hash.add(BytesView(buffer).first(count));
    }
}

} // namespace sinew::system
