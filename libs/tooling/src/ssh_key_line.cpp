// Implements ssh_key_line.hpp.
#include <sinew/base/bytes.hpp>
#include <sinew/base/text.hpp>
#include <sinew/tooling/ssh_key_line.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sinew::tooling {

namespace {

/// Those that Debian 12's dropbear knows.
constexpr std::array<std::string_view, 7> known_types = {"ssh-ed25519",
                                                         "ssh-rsa",
                                                         "ecdsa-sha2-nistp256",
                                                         "ecdsa-sha2-nistp384",
                                                         "ecdsa-sha2-nistp521",
                                                         "sk-ssh-ed25519@openssh.com",
                                                         "sk-ecdsa-sha2-nistp256@openssh.com"};
constexpr std::size_t shown_length = 40;

/// The words of a line; blanks within double quotes are part of a word.
std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    std::size_t start = 0;
    bool quoted = false;
    for (std::size_t at = 0; at <= line.size(); ++at) {
        bool const ends = at == line.size() || (!quoted && (line[at] == ' ' || line[at] == '\t'));
        if (!ends) {
            quoted = quoted != (line[at] == '"');
            continue;
        }
        if (at > start) {
            words.push_back(line.substr(start, at - start));
        }
        start = at + 1;
    }
    return words;
}

std::optional<Bytes> from_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.empty() || text.size() % 4 != 0) {
        return std::nullopt;
    }
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
        text.remove_suffix(1);
    }
    Bytes bytes;
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    for (char const c : text) {
        auto const value = alphabet.find(c);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes.push_back(static_cast<std::byte>(bits >> bit_count & 0xffU));
        }
    }
    return bytes;
}

/// The fields of a key (RFC 4253, 6.6): each has its length in front.
std::optional<std::vector<std::string_view>> fields_of(BytesView bytes) {
    constexpr std::size_t length_bytes = 4;
    std::vector<std::string_view> fields;
    while (!bytes.empty()) {
        if (bytes.size() < length_bytes || load_be32(bytes, 0) > bytes.size() - length_bytes) {
            return std::nullopt;
        }
        auto const length = load_be32(bytes, 0);
        fields.push_back(as_text(bytes.subspan(length_bytes, length)));
        bytes = bytes.subspan(length_bytes + length);
    }
    return fields;
}

std::string shortened(std::string_view line) {
    return line.size() <= shown_length ? std::string(line)
                                       : std::string(line.substr(0, shown_length)) + "...";
}

Result<> refuse(std::string_view line, std::string_view why) {
    return failure(ErrorCode::invalid_argument,
                   fmt::format("'{}' is not an SSH public key: {}", shortened(line), why));
}

bool is_known(std::string_view type) {
    return std::ranges::find(known_types, type) != known_types.end();
}

} // namespace

Result<> check_ssh_key_line(std::string_view line) {
    if (line.contains("PRIVATE KEY")) {
        return failure(ErrorCode::invalid_argument,
                       "this is a private key, which must stay with you; name the file that ends in .pub");
    }
    auto const words = words_of(line);
    // What is no type in front of one are options.
    auto const type = std::ranges::find_if(
        words.begin(), words.begin() + std::min<std::ptrdiff_t>(2, std::ssize(words)), is_known);
    if (words.empty() || type == words.begin() + std::min<std::ptrdiff_t>(2, std::ssize(words))) {
        return refuse(
            line, fmt::format("it names none of the kinds that a device knows, {}",
                              join(std::vector<std::string_view>(known_types.begin(), known_types.end()))));
    }
    if (type + 1 == words.end()) {
        return refuse(line, "there is nothing behind its kind");
    }
    auto const bytes = from_base64(type[1]);
    auto const fields = bytes ? fields_of(*bytes) : std::nullopt;
    if (!fields || fields->size() < 2) {
        return refuse(line, "what follows its kind is damaged, or cut off");
    }
    if (fields->front() != *type) {
        return refuse(line, fmt::format("it says it is {}, but holds another kind", *type));
    }
    constexpr std::size_t ed25519_bytes = 32;
    if (*type == "ssh-ed25519" && (*fields)[1].size() != ed25519_bytes) {
        return refuse(line, "an Ed25519 key has 32 bytes");
    }
    return {};
}

Result<std::vector<std::string>> ssh_key_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (auto const part : split(text, '\n')) {
        auto const line = trim(part);
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        TRY_OK(check_ssh_key_line(line));
        lines.emplace_back(line);
    }
    if (lines.empty()) {
        return failure(ErrorCode::invalid_argument, "there is no SSH public key in it");
    }
    return lines;
}

} // namespace sinew::tooling
