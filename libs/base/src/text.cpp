/// Implements text.hpp.
#include <sinew/base/text.hpp>
#include <sinew/base/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew {
namespace {

constexpr std::size_t octal_digits = 3;

template<typename Part>
std::string join_parts(std::vector<Part> const& parts, std::string_view separator) {
    std::string text;
    for (auto const& part : parts) {
        text += &part == parts.data() ? std::string_view() : separator;
        text += part;
    }
    return text;
}

template<typename Integer>
std::optional<Integer> parse_whole(std::string_view text, Integer least, Integer most, int base) noexcept {
    Integer number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    bool const is_number = error == std::errc() && end == text.data() + text.size();
    return is_number && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

/// How many bytes the character in front of `text` has; 0 if it isn't one that may be shown.
std::size_t length_of_shown(std::string_view text) {
    auto rest = text;
    auto const code = take_code_point(rest);
    auto const is_within = [code](char32_t first, char32_t last) { return *code >= first && *code <= last; };
    if (!code || is_within(0, 0x1F) || is_within(0x7F, 0x9F)) {
        return 0;
    }
    bool const turns_writing =
        is_within(0x200E, 0x200F) || is_within(0x2028, 0x202E) || is_within(0x2066, 0x2069);
    return turns_writing ? 0 : text.size() - rest.size();
}

void append_escaped(std::string& shown, char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::string_view named = "\a\b\t\n\v\f\r";
    constexpr std::string_view letters = "abtnvfr";
    shown.push_back('\\');
    if (auto const at = named.find(byte); at != std::string_view::npos) {
        shown.push_back(letters[at]);
        return;
    }
    auto const value = static_cast<unsigned char>(byte);
    shown += {'x', digits[value >> 4u], digits[value & 0xFu]};
}

} // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= text.size();) {
        auto const end = std::min(text.find(separator, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

std::vector<std::string_view> split_nonempty(std::string_view text, char separator) {
    auto parts = split(text, separator);
    std::erase(parts, std::string_view());
    return parts;
}

std::string join(std::vector<std::string> const& parts, std::string_view separator) {
    return join_parts(parts, separator);
}
std::string join(std::vector<std::string_view> const& parts, std::string_view separator) {
    return join_parts(parts, separator);
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return text.substr(text.size());
    }
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::optional<std::int64_t> parse_int64(std::string_view text, std::int64_t least, std::int64_t most,
                                        int base) noexcept {
    return parse_whole(text, least, most, base);
}

std::optional<std::uint64_t> parse_uint64(std::string_view text, std::uint64_t most, int base) noexcept {
    return parse_whole<std::uint64_t>(text, 0, most, base);
}

std::optional<std::uint64_t> take_uint64(std::string_view& text, std::uint64_t most, int base) noexcept {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || number > most) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::string unescape_octal(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    while (!text.empty()) {
        char const first = text.front();
        text.remove_prefix(1);
        auto const code = first == '\\' && text.size() >= octal_digits
                              ? parse_uint64(text.substr(0, octal_digits), 0xff, 8)
                              : std::nullopt;
        plain += code ? static_cast<char>(*code) : first;
        text.remove_prefix(code ? octal_digits : 0);
    }
    return plain;
}

std::string printable(std::string_view text, LineFeed line_feeds) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        auto const character = text.substr(0, length_of_shown(text));
        bool const is_kept = line_feeds == LineFeed::kept && (text.front() == '\n' || text.front() == '\t');
        if (is_kept || character.empty()) {
            is_kept ? shown.push_back(text.front()) : append_escaped(shown, text.front());
            text.remove_prefix(1);
            continue;
        }
        shown += character;
        text.remove_prefix(character.size());
    }
    return shown;
}

} // namespace sinew
