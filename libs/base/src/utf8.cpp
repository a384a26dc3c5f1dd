/// Implements utf8.hpp.
#include <sinew/base/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace sinew {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool continues(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// How many bytes at the front are ASCII.
std::size_t ascii_length(std::string_view text) noexcept {
    std::size_t at = 0;
    for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & 0x8080'8080'8080'8080U) != 0) {
            break;
        }
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80U) {
        ++at;
    }
    return at;
}

/// How many bytes at the front are UTF-8.
std::size_t valid_length(std::string_view text) noexcept {
    auto rest = text;
    while (true) {
        rest.remove_prefix(ascii_length(rest));
        auto const before = rest;
        if (rest.empty() || !take_code_point(rest)) {
            return text.size() - before.size();
        }
    }
}

} // namespace

std::optional<char32_t> take_code_point(std::string_view& text) noexcept {
    auto const lead = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    if (lead < 0x80) {
        return lead;
    }
    std::size_t const more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
    if (more == 0 || lead > 0xF4 || text.size() < more) {
        return std::nullopt;
    }
    char32_t value = lead & (0x3FU >> more);
    for (char const c : text.substr(0, more)) {
        if (!continues(c)) {
            return std::nullopt;
        }
        value = value << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    }
    bool const is_overlong = (more == 2 && value < 0x800) || (more == 3 && value < 0x10000);
    bool const is_surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (is_overlong || is_surrogate || value > 0x10FFFF) {
        return std::nullopt;
    }
    text.remove_prefix(more);
    return value;
}

bool is_utf8(std::string_view text) noexcept {
    return valid_length(text) == text.size();
}

std::string valid_utf8(std::string text) {
    std::size_t at = valid_length(text);
    if (at == text.size()) {
        return text;
    }
    std::string clean(text, 0, at);
    while (at < text.size()) {
        clean += replacement;
        auto const rest = std::string_view(text).substr(at + 1);
        auto const good = rest.substr(0, valid_length(rest));
        clean += good;
        at += 1 + good.size();
    }
    return clean;
}

std::string_view cut_utf8(std::string_view text, std::size_t limit_bytes) noexcept {
    if (text.size() <= limit_bytes) {
        return text;
    }
    std::size_t at = limit_bytes;
    while (at > 0 && limit_bytes - at < 3 && continues(text[at])) {
        --at;
    }
    // Where the bytes at hand are no code point anyway, one place is as good as another.
    return text.substr(0, continues(text[at]) ? limit_bytes : at);
}

} // namespace sinew
