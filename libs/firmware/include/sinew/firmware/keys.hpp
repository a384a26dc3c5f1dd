/// Ed25519 keys (RFC 8032), their files, and signatures.
///
/// A key file holds padded base64 without a line feed (44 characters public, 88 private) or the raw 32 or 64
/// bytes; white space at its end is accepted. A private key is the 32-byte seed followed by the public key.
/// Threading: plain values and free functions.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace sinew::firmware {

using Signature = std::array<std::byte, 64>;

/// A key that checks signatures.
struct PublicKey {
    std::array<std::byte, 32> bytes{};
    bool operator==(PublicKey const&) const = default;
    /// From base64 text or raw bytes. Error invalid_argument: neither 44 characters of base64 nor 32 bytes.
    [[nodiscard]] static Result<PublicKey> parse(BytesView content);
    /// Reads a key file. Errors: not_found, denied, invalid_argument.
    [[nodiscard]] static Result<PublicKey> load(std::filesystem::path const& path);
    [[nodiscard]] std::string base64() const;
    /// The first 8 base64 characters: how messages name a key.
    [[nodiscard]] std::string short_name() const;
    [[nodiscard]] bool verifies(Signature const& signature, BytesView message) const;
};

/// A key that signs. Never printed in a message.
struct PrivateKey {
    std::array<std::byte, 64> bytes{};
    /// From base64 text or raw bytes. Error invalid_argument: wrong length, or its two halves don't belong
    /// together.
    [[nodiscard]] static Result<PrivateKey> parse(BytesView content);
    [[nodiscard]] static Result<PrivateKey> load(std::filesystem::path const& path);
    [[nodiscard]] std::string base64() const;
    [[nodiscard]] PublicKey public_key() const;
    [[nodiscard]] Signature sign(BytesView message) const;
};

struct KeyPair {
    PublicKey public_key;
    PrivateKey private_key;
};

/// A new random key pair from the kernel's random source.
[[nodiscard]] KeyPair generate_keys();

/// Writes `<prefix>.pub` and `<prefix>.priv`, mode 0600, and syncs them. Error exists: one of them is there
/// already; then neither is written.
[[nodiscard]] Result<> save_keys(KeyPair const& keys, std::filesystem::path const& prefix);

} // namespace sinew::firmware
