/// Spelling of names. See the header.
#include "fat/name.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t longest_name = 255;
constexpr std::u16string_view never_allowed = u"\"*/:<>?\\|\x7F";
constexpr std::u16string_view not_in_short_names = u"+,;=[] ";

char16_t to_upper(char16_t c) {
    return c >= u'a' && c <= u'z' ? static_cast<char16_t>(c - u'a' + u'A') : c;
}

/// The next code point of UTF-8 text, taken off its front; nothing if it isn't valid.
std::optional<char32_t> take_code_point(std::string_view& text) {
    auto const lead = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    if (lead < 0x80) {
        return lead;
    }
    int const more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
    if (more == 0 || lead > 0xF4 || text.size() < static_cast<std::size_t>(more)) {
        return std::nullopt;
    }
    char32_t value = lead & (0x3Fu >> more);
    for (int i = 0; i < more; ++i) {
        auto const byte = static_cast<unsigned char>(text.front());
        text.remove_prefix(1);
        if ((byte & 0xC0u) != 0x80u) {
            return std::nullopt;
        }
        value = value << 6 | (byte & 0x3Fu);
    }
    bool const is_overlong = (more == 2 && value < 0x800) || (more == 3 && value < 0x10000);
    bool const is_surrogate = value >= 0xD800 && value <= 0xDFFF;
    return is_overlong || is_surrogate || value > 0x10FFFF ? std::nullopt : std::optional(value);
}

bool fits_short(char16_t c) {
    return c > u' ' && c < 0x7F && !never_allowed.contains(c) && !not_in_short_names.contains(c) &&
           c != u'.' && (c < u'a' || c > u'z');
}

} // namespace

Result<std::u16string> long_name(std::string_view name) {
    auto const refuse = [&](std::string const& why) {
        return failure(ErrorCode::invalid_argument, "'" + std::string(name.substr(0, 80)) +
                                                        "' can't be a name on a FAT file system: " + why);
    };
    std::u16string out;
    for (auto rest = name; !rest.empty();) {
        auto const point = take_code_point(rest);
        if (!point) {
            return refuse("it isn't UTF-8");
        }
        if (*point < 0x20 || (*point < 0x80 && never_allowed.contains(static_cast<char16_t>(*point)))) {
            return refuse("it has a character that FAT doesn't allow");
        }
        if (*point >= 0x10000) {
            out.push_back(static_cast<char16_t>(0xD800 + ((*point - 0x10000) >> 10)));
            out.push_back(static_cast<char16_t>(0xDC00 + ((*point - 0x10000) & 0x3FF)));
        } else {
            out.push_back(static_cast<char16_t>(*point));
        }
    }
    if (out.empty() || out.size() > longest_name || out.ends_with(u'.') || out.ends_with(u' ')) {
        return refuse("it is empty, longer than 255 characters, or ends in a dot or space");
    }
    return out;
}

bool same_name(std::u16string_view a, std::u16string_view b) {
    return std::ranges::equal(a, b, {}, to_upper, to_upper);
}

bool is_short_name(std::u16string_view name, ShortName& out) {
    auto const dot = name.find(u'.');
    auto const base = name.substr(0, dot);
    auto const extension = dot == std::u16string_view::npos ? std::u16string_view() : name.substr(dot + 1);
    if (base.empty() || base.size() > 8 || extension.size() > 3 ||
        (dot != std::u16string_view::npos && extension.empty()) || !std::ranges::all_of(base, fits_short) ||
        !std::ranges::all_of(extension, fits_short)) {
        return false;
    }
    out.fill(' ');
    std::ranges::transform(base, out.begin(), [](char16_t c) { return static_cast<char>(c); });
    std::ranges::transform(extension, out.begin() + 8, [](char16_t c) { return static_cast<char>(c); });
    return true;
}

ShortName make_short_name(std::u16string_view name, std::uint32_t tail) {
    ShortName out{};
    out.fill(' ');
    auto const convert = [](char16_t c) {
        return fits_short(to_upper(c)) ? static_cast<char>(to_upper(c)) : '_';
    };
    while (name.starts_with(u'.')) {
        name.remove_prefix(1);
    }
    auto const dot = name.rfind(u'.');
    auto const base = name.substr(0, dot);
    std::size_t at = 0;
    for (std::size_t i = 0; i < base.size() && at < 8; ++i) {
        if (base[i] != u' ' && base[i] != u'.') {
            out[at++] = convert(base[i]);
        }
    }
    if (dot != std::u16string_view::npos) {
        std::size_t to = 8;
        for (std::size_t i = dot + 1; i < name.size() && to < 11; ++i) {
            if (name[i] != u' ') {
                out[to++] = convert(name[i]);
            }
        }
    }
    if (at == 0) {
        out[at++] = '_';
    }
    if (tail > 0) {
        auto const suffix = "~" + std::to_string(tail);
        at = std::min(at, 8 - suffix.size());
        std::ranges::copy(suffix, out.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
}

std::u16string short_to_long(ShortName const& name, std::uint8_t case_flags) {
    auto const part = [&](std::size_t from, std::size_t to, bool is_lower) {
        std::u16string text;
        for (std::size_t i = from; i < to; ++i) {
            auto c = static_cast<char16_t>(static_cast<unsigned char>(name[i]));
            if (is_lower && c >= u'A' && c <= u'Z') {
                c = static_cast<char16_t>(c - u'A' + u'a');
            }
            text.push_back(c);
        }
        while (text.ends_with(u' ')) {
            text.pop_back();
        }
        return text;
    };
    auto base = part(0, 8, (case_flags & 0x08) != 0);
    auto const extension = part(8, 11, (case_flags & 0x10) != 0);
    return extension.empty() ? base : base + u"." + extension;
}

std::uint8_t short_name_checksum(ShortName const& name) {
    std::uint8_t sum = 0;
    for (char const c : name) {
        sum = static_cast<std::uint8_t>((sum >> 1 | sum << 7) + static_cast<unsigned char>(c));
    }
    return sum;
}

Result<ShortName> volume_label(std::string_view label) {
    ShortName out{};
    out.fill(' ');
    if (label.size() > out.size()) {
        return failure(ErrorCode::invalid_argument, "'" + std::string(label.substr(0, 80)) +
                                                        "' is too long for a volume label; use at most 11 "
                                                        "characters");
    }
    for (std::size_t i = 0; i < label.size(); ++i) {
        auto const c = to_upper(static_cast<char16_t>(static_cast<unsigned char>(label[i])));
        if (c < u' ' || c > 0x7E || never_allowed.contains(c) || c == u'.' || c == u'+' || c == u',' ||
            c == u';' || c == u'=' || c == u'[' || c == u']') {
            return failure(ErrorCode::invalid_argument,
                           "'" + std::string(label) +
                               "' can't be a volume label; use letters, digits, '-' and '_'");
        }
        out[i] = static_cast<char>(c);
    }
    return out;
}

Result<std::vector<std::u16string>> split_path(std::string_view path) {
    constexpr std::size_t deepest = 32;
    std::vector<std::u16string> parts;
    auto rest = path;
    while (!rest.empty()) {
        auto const slash = std::min(rest.find('/'), rest.size());
        auto const part = rest.substr(0, slash);
        rest.remove_prefix(std::min(slash + 1, rest.size()));
        if (part.empty()) {
            continue;
        }
        TRY(auto name, long_name(part));
        parts.push_back(std::move(name));
    }
    if (parts.empty() || parts.size() > deepest) {
        return failure(ErrorCode::invalid_argument,
                       "'" + std::string(path.substr(0, 80)) + "' is no path on a FAT file system");
    }
    return parts;
}

} // namespace sinew::firmware
