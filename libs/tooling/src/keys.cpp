// KeyStore and authorized keys. See keys.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/keys.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_key_file = 16384;
constexpr std::size_t longest_key_name = 64;

Result<> make_private_folder(fs::path const& folder) {
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (problem) {
        return std::unexpected(error_from_errno(problem.value(), folder.string()));
    }
    fs::permissions(folder, fs::perms::owner_all, problem);
    return {};
}

Result<> check_key_name(std::string_view name) {
    bool const good = !name.empty() && name.size() <= longest_key_name && name.front() != '.' &&
                      name.front() != '-' && std::ranges::all_of(name, [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                 c == '_' || c == '-' || c == '.';
                      });
    if (!good) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("'{}' can't name a key: use letters, digits, '_', '-' and '.', at most {}",
                                   name, longest_key_name));
    }
    return {};
}

fs::path with_suffix(fs::path path, std::string_view suffix) {
    path += suffix;
    return path;
}

bool is_ssh_key_line(std::string_view line) {
    return line.starts_with("ssh-") || line.starts_with("ecdsa-sha2-") || line.starts_with("sk-");
}

Result<std::string> first_key_line(fs::path const& file) {
    TRY(auto const text, read_text_file(file, longest_key_file));
    std::string line = text.substr(0, text.find_first_of("\r\n"));
    if (!is_ssh_key_line(line)) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("{} is not an SSH public key; name a file such as id_ed25519.pub", file.string()));
    }
    return line;
}

} // namespace

Result<SigningKey> KeyStore::generate(std::string const& name) const {
    TRY_OK(check_key_name(name));
    TRY_OK(make_private_folder(m_home / "keys"));
    auto const pair = firmware::generate_keys();
    TRY_OK(firmware::save_keys(pair, path_of(name)));
    return SigningKey{pair.private_key, with_suffix(path_of(name), ".priv"), KeyOrigin::made};
}

std::vector<std::string> KeyStore::names() const {
    std::vector<std::string> result;
    std::error_code none;
    for (auto const& entry : fs::directory_iterator(m_home / "keys", none)) {
        if (entry.path().extension() == ".priv") {
            result.push_back(entry.path().stem().string());
        }
    }
    std::ranges::sort(result);
    return result;
}

Result<firmware::PublicKey> KeyStore::public_key(std::string const& name) const {
    TRY_OK(check_key_name(name));
    fs::path const file = with_suffix(path_of(name), ".pub");
    if (!fs::exists(file)) {
        auto const known = names();
        return failure(ErrorCode::not_found,
                       fmt::format("there is no key '{}' in {}; {}", name, (m_home / "keys").string(),
                                   known.empty() ? fmt::format("make it with `sinew key generate {}`", name)
                                                 : "there are: " + join(known)));
    }
    return firmware::PublicKey::load(file);
}

Result<SigningKey> KeyStore::signing_key(std::string const& name, fs::path const& base) const {
    fs::path const own = with_suffix(path_of(name), ".priv");
    if (check_key_name(name) && fs::exists(own)) {
        TRY(auto key, firmware::PrivateKey::load(own));
        return SigningKey{key, own, KeyOrigin::found};
    }
    if (name == development_key) {
        return generate(name);
    }
    if (fs::path const file = base / name; fs::is_regular_file(file)) {
        TRY(auto key, firmware::PrivateKey::load(file));
        return SigningKey{key, file, KeyOrigin::found};
    }
    return failure(
        ErrorCode::not_found,
        fmt::format("the signing key '{}' is neither in {} nor a file; make it with `sinew key generate {}`",
                    name, (m_home / "keys").string(), name));
}

Result<firmware::PublicKey> KeyStore::trusted_key(std::string const& name, fs::path const& base) const {
    if (fs::path const file = base / name; fs::is_regular_file(file)) {
        return firmware::PublicKey::load(file);
    }
    return public_key(name);
}

Result<SshKey> KeyStore::ssh_key() const {
    fs::path const file = ssh_key_path();
    fs::path const public_file = with_suffix(file, ".pub");
    KeyOrigin origin = KeyOrigin::found;
    if (!fs::exists(file)) {
        TRY_OK(make_private_folder(file.parent_path()));
        auto made = run_checked(
            {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sinew-development", "-f", file.string()});
        if (!made) {
            return std::unexpected(
                std::move(made).error().with_context("the SSH key for development can't be made"));
        }
        origin = KeyOrigin::made;
    }
    TRY(auto line, first_key_line(public_file));
    return SshKey{file, std::move(line), origin};
}

Result<std::string> authorized_keys(KeyStore const& store, std::vector<std::string> const& entries,
                                    fs::path const& base) {
    std::string text;
    for (std::string const& entry : entries) {
        if (entry == development_key) {
            TRY(auto const key, store.ssh_key());
            text += key.public_line + "\n";
        } else if (is_ssh_key_line(entry)) {
            text += entry + "\n";
        } else {
            fs::path const file =
                entry.starts_with("~/") ? fs::path(environment("HOME")) / entry.substr(2) : base / entry;
            auto line = first_key_line(file);
            if (!line) {
                return std::unexpected(
                    std::move(line).error().with_context("sinew.toml: ssh.authorized_keys"));
            }
            text += *line + "\n";
        }
    }
    return text;
}

} // namespace sinew::tooling
