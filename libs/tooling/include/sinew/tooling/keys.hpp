/// KeyStore: the user's signing keys and the SSH key for devices under development, in $SINEW_HOME.
///
///     keys/NAME.priv, keys/NAME.pub    Ed25519, as the update engine reads them
///     ssh/id_ed25519, ssh/id_ed25519.pub, ssh/known_hosts
///
/// Invariant: a key file that exists is never overwritten; private keys have mode 0600, folders 0700.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/keys.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sinew::tooling {

/// The key that commands fall back to.
inline constexpr std::string_view development_key = "development";

enum class KeyOrigin : std::uint8_t { found, made };

struct SigningKey {
    firmware::PrivateKey key;
    std::filesystem::path path;
    KeyOrigin origin = KeyOrigin::found;
};

struct SshKey {
    std::filesystem::path private_path;
    /// "ssh-ed25519 AAAA... comment", without a line feed.
    std::string public_line;
    KeyOrigin origin = KeyOrigin::found;
};

class KeyStore {
public:
    explicit KeyStore(std::filesystem::path home)
        : m_home(std::move(home)) {}

    /// Makes the pair `name`. Errors: exists; invalid_argument: `name` is no file name.
    [[nodiscard]] Result<SigningKey> generate(std::string const& name) const;
    /// The names of the pairs there are, sorted.
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] Result<firmware::PublicKey> public_key(std::string const& name) const;
    /// The key called `name`, or the private key file it leads to (relative to `base`). A missing development
    /// key is made. Error not_found says how to make one.
    [[nodiscard]] Result<SigningKey> signing_key(std::string const& name,
                                                 std::filesystem::path const& base) const;
    /// The public key `name` or of the file `name` (relative to `base`).
    [[nodiscard]] Result<firmware::PublicKey> trusted_key(std::string const& name,
                                                          std::filesystem::path const& base) const;
    /// The SSH key; made with ssh-keygen(1) when it isn't there. Blocks meanwhile.
    [[nodiscard]] Result<SshKey> ssh_key() const;
    /// The SSH private key's path, whether or not it exists.
    [[nodiscard]] std::filesystem::path ssh_key_path() const { return m_home / "ssh" / "id_ed25519"; }
    [[nodiscard]] std::filesystem::path known_hosts_path() const { return m_home / "ssh" / "known_hosts"; }
    [[nodiscard]] std::filesystem::path path_of(std::string const& name) const {
        return m_home / "keys" / name;
    }

private:
    std::filesystem::path m_home;
};

/// The files of the keys that ssh may offer to a device built with `entries`: private keys where they lie beside the
/// public ones or in ~/.ssh, else .pub files of keys that an agent may hold, written to `folder` if need be.
[[nodiscard]] std::vector<std::filesystem::path> identities(std::vector<std::string> const& entries,
                                                            std::filesystem::path const& base,
                                                            std::filesystem::path const& folder);

/// The authorized_keys text for `entries` of sinew.toml ([ssh] authorized_keys): "development", .pub files
/// relative to `base`, or whole key lines. Errors: not_found; invalid_argument: one that lets nobody in
/// (ssh_key_line.hpp).
[[nodiscard]] Result<std::string> authorized_keys(KeyStore const& store,
                                                  std::vector<std::string> const& entries,
                                                  std::filesystem::path const& base);

} // namespace sinew::tooling
