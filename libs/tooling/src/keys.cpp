// KeyStore and authorized keys. See keys.hpp.
#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/keys.hpp>
#include <sinew/tooling/ssh_key_line.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_key_file = 16384;
constexpr std::size_t longest_key_name = 64;

/// `home` / `name`, for its owner only, whatever this process's umask is; so is `home` when it is made here.
Result<> make_private_folder(fs::path const& home, std::string_view name) {
    std::error_code problem;
    bool const is_new = fs::create_directories(home, problem);
    fs::create_directory(home / name, problem);
    if (!problem && is_new) {
        fs::permissions(home, fs::perms::owner_all, problem);
    }
    if (!problem) {
        fs::permissions(home / name, fs::perms::owner_all, problem);
    }
    if (problem) {
        return std::unexpected(error_from_errno(problem.value(), (home / name).string()));
    }
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

Result<std::vector<std::string>> key_lines_of(fs::path const& file) {
    TRY(auto const text, read_text_file(file, longest_key_file));
    auto lines = ssh_key_lines(text);
    if (!lines) {
        return std::unexpected(std::move(lines).error().with_context(file.string()));
    }
    return lines;
}

/// An entry of sinew.toml is a key, or a file of them.
bool is_key_line(std::string const& entry, fs::path const& base) {
    return entry.contains(' ') && !fs::exists(base / entry);
}

fs::path file_of_entry(std::string const& entry, fs::path const& base) {
    return entry.starts_with("~/") ? fs::path(environment("HOME")) / entry.substr(2) : base / entry;
}

Result<std::vector<std::string>> keys_of_entry(std::string const& entry, fs::path const& base) {
    if (!is_key_line(entry, base)) {
        return key_lines_of(file_of_entry(entry, base));
    }
    TRY_OK(check_ssh_key_line(entry));
    return std::vector<std::string>{entry};
}

/// ssh(1) takes a private key, or a public one whose private one its agent has.
fs::path private_key_beside(fs::path const& public_key) {
    auto beside = public_key;
    beside.replace_extension();
    return public_key.extension() == ".pub" && fs::exists(beside) ? beside : public_key;
}

/// The file in ~/.ssh with the key of `line`, whatever its comment is.
std::optional<fs::path> own_key_file(std::string_view line) {
    auto const key = line.substr(0, line.find(' ', line.find(' ') + 1));
    std::error_code none;
    for (auto const& entry : fs::directory_iterator(fs::path(environment("HOME")) / ".ssh", none)) {
        auto const text = entry.path().extension() == ".pub" ? read_text_file(entry.path(), longest_key_file)
                                                             : Result<std::string>("");
        if (text && text->starts_with(key)) {
            return entry.path();
        }
    }
    return std::nullopt;
}

} // namespace

Result<SigningKey> KeyStore::generate(std::string const& name) const {
    TRY_OK(check_key_name(name));
    TRY_OK(make_private_folder(m_home, "keys"));
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
        TRY_OK(make_private_folder(m_home, "ssh"));
        auto made = run_checked(
            {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sinew-development", "-f", file.string()});
        if (!made) {
            return std::unexpected(
                std::move(made).error().with_context("the SSH key for development can't be made"));
        }
        origin = KeyOrigin::made;
    }
    TRY(auto lines, key_lines_of(public_file));
    return SshKey{file, std::move(lines.front()), origin};
}

std::vector<fs::path> identities(std::vector<std::string> const& entries, fs::path const& base,
                                 fs::path const& folder) {
    std::vector<fs::path> files;
    for (std::string const& entry : entries) {
        if (entry == development_key) {
            continue;
        }
        if (!is_key_line(entry, base)) {
            files.push_back(private_key_beside(file_of_entry(entry, base)));
            continue;
        }
        auto const own = own_key_file(entry);
        auto const file = folder / fmt::format("{}.pub", files.size());
        if (own) {
            files.push_back(private_key_beside(*own));
        } else if (write_file_atomically(file, as_bytes(entry + "\n"), 0600)) {
            files.push_back(file);
        }
    }
    return files;
}

Result<std::string> authorized_keys(KeyStore const& store, std::vector<std::string> const& entries,
                                    fs::path const& base) {
    std::string text;
    for (std::string const& entry : entries) {
        if (entry == development_key) {
            TRY(auto const key, store.ssh_key());
            text += key.public_line + "\n";
            continue;
        }
        auto lines = keys_of_entry(entry, base);
        if (!lines) {
            return std::unexpected(std::move(lines).error().with_context("sinew.toml: ssh.authorized_keys"));
        }
        for (auto const& line : *lines) {
            text += line + "\n";
        }
    }
    return text;
}

} // namespace sinew::tooling
