/// Ed25519 through libsodium, and key files.
///
/// Invariant: a PrivateKey that exists has a public half that belongs to its seed. Threading: sodium_init()
/// is safe from any thread and is called before every use that needs it.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/keys.hpp>

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t largest_key_file = 1024;

unsigned char const* data_of(BytesView bytes) {
    return reinterpret_cast<unsigned char const*>(bytes.data());
}

unsigned char* data_of(MutableBytesView bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

void start_sodium() {
    if (sodium_init() < 0) {
        throw std::runtime_error("libsodium can't start: the kernel's random source isn't available");
    }
}

std::string to_base64(BytesView bytes) {
    std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), data_of(bytes), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
    text.pop_back(); // the terminating NUL
    return text;
}

/// The key's bytes from raw content or base64 text; nothing if it is neither of the right length.
template<std::size_t size>
std::optional<std::array<std::byte, size>> parse_key(BytesView content) {
    std::array<std::byte, size> key{};
    if (content.size() == size) {
        std::ranges::copy(content, key.begin());
        return key;
    }
    auto text = as_text(content);
    while (!text.empty() &&
           (text.back() == '\n' || text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    int const variant =
        text.ends_with('=') ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    std::size_t length = 0;
    if (text.size() != sodium_base64_encoded_len(size, variant) - 1 ||
        sodium_base642bin(data_of(MutableBytesView(key)), size, text.data(), text.size(), nullptr, &length,
                          nullptr, variant) != 0 ||
        length != size) {
        return std::nullopt;
    }
    return key;
}

Result<Bytes> read_key_file(std::filesystem::path const& path) {
    auto content = read_file(path, largest_key_file);
    if (!content && content.error().code() == ErrorCode::invalid_argument) {
        return failure(ErrorCode::invalid_argument, path.string() + ": too large to be a key file");
    }
    return content;
}

/// Writes a file that must not exist yet, and syncs it.
Result<> write_new_file(std::filesystem::path const& path, std::string_view text) {
    auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file) {
        if (file.error().code() == ErrorCode::exists) {
            return failure(ErrorCode::exists,
                           path.string() +
                               ": is there already; keys are never overwritten, choose another name");
        }
        return std::unexpected(std::move(file).error());
    }
    TRY_OK(write_all(*file, as_bytes(text)));
    return sync_file(*file);
}

} // namespace

Result<PublicKey> PublicKey::parse(BytesView content) {
    auto const key = parse_key<32>(content);
    if (!key) {
        return failure(
            ErrorCode::invalid_argument,
            "not a public key: expected 44 characters of base64 or 32 raw bytes, as `fwup -g` writes them");
    }
    return PublicKey{*key};
}

Result<PublicKey> PublicKey::load(std::filesystem::path const& path) {
    TRY(auto const content, read_key_file(path));
    auto key = parse(content);
    if (!key) {
        return std::unexpected(std::move(key).error().with_context(path.string()));
    }
    return key;
}

std::string PublicKey::base64() const {
    return to_base64(bytes);
}

std::string PublicKey::short_name() const {
    return base64().substr(0, 8);
}

bool PublicKey::verifies(Signature const& signature, BytesView message) const {
    start_sodium();
    return crypto_sign_verify_detached(data_of(BytesView(signature)), data_of(message), message.size(),
                                       data_of(BytesView(bytes))) == 0;
}

Result<PrivateKey> PrivateKey::parse(BytesView content) {
    start_sodium();
    auto const key = parse_key<64>(content);
    if (!key) {
        return failure(
            ErrorCode::invalid_argument,
            "not a private key: expected 88 characters of base64 or 64 raw bytes, as `fwup -g` writes them");
    }
    std::array<std::byte, 32> expected_public{};
    std::array<std::byte, 64> expected_secret{};
    crypto_sign_seed_keypair(data_of(MutableBytesView(expected_public)),
                             data_of(MutableBytesView(expected_secret)), data_of(BytesView(*key)));
    if (!std::ranges::equal(expected_public, BytesView(*key).subspan(32))) {
        return failure(ErrorCode::invalid_argument,
                       "not a private key: its public half doesn't belong to its seed; "
                       "the file is damaged or of another kind");
    }
    return PrivateKey{*key};
}

Result<PrivateKey> PrivateKey::load(std::filesystem::path const& path) {
    TRY(auto const content, read_key_file(path));
    auto key = parse(content);
    if (!key) {
        return std::unexpected(std::move(key).error().with_context(path.string()));
    }
    return key;
}

std::string PrivateKey::base64() const {
    return to_base64(bytes);
}

PublicKey PrivateKey::public_key() const {
    PublicKey key;
    std::copy(bytes.begin() + 32, bytes.end(), key.bytes.begin());
    return key;
}

Signature PrivateKey::sign(BytesView message) const {
    start_sodium();
    Signature signature{};
    crypto_sign_detached(data_of(MutableBytesView(signature)), nullptr, data_of(message), message.size(),
                         data_of(BytesView(bytes)));
    return signature;
}

KeyPair generate_keys() {
    start_sodium();
    KeyPair keys;
    crypto_sign_keypair(data_of(MutableBytesView(keys.public_key.bytes)),
                        data_of(MutableBytesView(keys.private_key.bytes)));
    return keys;
}

Result<> save_keys(KeyPair const& keys, std::filesystem::path const& prefix) {
    auto const public_path = std::filesystem::path(prefix.string() + ".pub");
    auto const private_path = std::filesystem::path(prefix.string() + ".priv");
    std::error_code ignored;
    if (std::filesystem::exists(public_path, ignored)) {
        return failure(ErrorCode::exists,
                       public_path.string() +
                           ": is there already; keys are never overwritten, choose another name");
    }
    TRY_OK(write_new_file(private_path, keys.private_key.base64()));
    if (auto written = write_new_file(public_path, keys.public_key.base64()); !written) {
        std::filesystem::remove(private_path, ignored);
        return written;
    }
    return {};
}

} // namespace sinew::firmware
