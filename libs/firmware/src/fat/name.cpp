#include "fat/name.hpp"

#include "disk/unicode.hpp"

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
constexpr std::uint8_t lower_base = 0x08;
constexpr std::uint8_t lower_extension = 0x10;
/// The first byte of a free slot; a name that begins with this letter of the code page has the other there.
constexpr char free_mark = '\xE5';
constexpr char stands_for_free_mark = '\x05';

bool fits_short(char16_t c) {
    return c > u' ' && c < 0x7F && !never_allowed.contains(c) && !not_in_short_names.contains(c) &&
           c != u'.' && (c < u'a' || c > u'z');
}

/// Puts the base or the extension of a name at `at`; false if it doesn't fit. Letters must be all of one
/// case.
bool put_part(std::u16string_view part, ShortForm& form, std::size_t at, std::uint8_t lower_flag) {
    auto const is_lower = [](char16_t c) { return c >= u'a' && c <= u'z'; };
    auto const is_capital = [](char16_t c) { return c >= u'A' && c <= u'Z'; };
    if (std::ranges::any_of(part, is_lower)) {
        if (std::ranges::any_of(part, is_capital)) {
            return false;
        }
        form.case_flags |= lower_flag;
    }
    for (char16_t const c : part) {
        if (!fits_short(to_upper(c))) {
            return false;
        }
        form.name[at++] = static_cast<char>(to_upper(c));
    }
    return true;
}

/// A letter of an alias; what the code page lacks becomes '_'.
char alias_letter(char16_t c) {
    auto const upper = to_upper(c);
    if (upper >= 0x80) {
        return to_code_page(upper).value_or('_');
    }
    return fits_short(upper) ? static_cast<char>(upper) : '_';
}

} // namespace

Result<std::u16string> long_name(std::string_view name) {
    auto const refuse = [&](std::string const& why) {
        return failure(ErrorCode::invalid_argument, "'" + std::string(name.substr(0, 80)) +
                                                        "' can't be a name on a FAT file system: " + why);
    };
    auto converted = utf16_of(name);
    if (!converted) {
        return refuse("it isn't UTF-8");
    }
    auto out = *std::move(converted);
    if (std::ranges::any_of(out, [](char16_t c) { return c < 0x20 || never_allowed.contains(c); })) {
        return refuse("it has a character that FAT doesn't allow");
    }
    if (out.empty() || out.size() > longest_name || out.ends_with(u'.') || out.ends_with(u' ')) {
        return refuse("it is empty, longer than 255 characters, or ends in a dot or space");
    }
    return out;
}

bool same_name(std::u16string_view a, std::u16string_view b) {
    return std::ranges::equal(a, b, {}, to_upper, to_upper);
}

std::optional<ShortForm> short_form(std::u16string_view name) {
    auto const dot = name.find(u'.');
    auto const base = name.substr(0, dot);
    auto const extension = dot == std::u16string_view::npos ? std::u16string_view() : name.substr(dot + 1);
    if (base.empty() || base.size() > 8 || extension.size() > 3 ||
        (dot != std::u16string_view::npos && extension.empty())) {
        return std::nullopt;
    }
    ShortForm form;
    form.name.fill(' ');
    bool const fits = put_part(base, form, 0, lower_base) && put_part(extension, form, 8, lower_extension);
    return fits ? std::optional(form) : std::nullopt;
}

ShortName make_short_name(std::u16string_view name, std::uint32_t tail) {
    ShortName out{};
    out.fill(' ');
    while (name.starts_with(u'.')) {
        name.remove_prefix(1);
    }
    auto const dot = name.rfind(u'.');
    auto const base = name.substr(0, dot);
    std::size_t at = 0;
    for (std::size_t i = 0; i < base.size() && at < 8; ++i) {
        if (base[i] != u' ' && base[i] != u'.') {
            out[at++] = alias_letter(base[i]);
        }
    }
    if (dot != std::u16string_view::npos) {
        std::size_t to = 8;
        for (std::size_t i = dot + 1; i < name.size() && to < 11; ++i) {
            if (name[i] != u' ') {
                out[to++] = alias_letter(name[i]);
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
    if (out[0] == free_mark) {
        out[0] = stands_for_free_mark;
    }
    return out;
}

std::u16string short_to_long(ShortName const& name, std::uint8_t case_flags) {
    auto const part = [&](std::size_t from, std::size_t to, bool is_lower) {
        std::u16string text;
        for (std::size_t i = from; i < to; ++i) {
            auto c = from_code_page(i == 0 && name[i] == stands_for_free_mark ? free_mark : name[i]);
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
    auto base = part(0, 8, (case_flags & lower_base) != 0);
    auto const extension = part(8, 11, (case_flags & lower_extension) != 0);
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
    auto const refuse = [&](std::string const& why) {
        return failure(ErrorCode::invalid_argument, "'" + std::string(label.substr(0, 80)) + "' " + why);
    };
    ShortName out{};
    out.fill(' ');
    auto const wide = utf16_of(label);
    if (wide && wide->size() > out.size()) {
        return refuse("is too long for a volume label; use at most 11 characters");
    }
    constexpr std::u16string_view not_in_labels = u".+,;=[]";
    for (std::size_t i = 0; wide && i < wide->size(); ++i) {
        auto const c = to_upper((*wide)[i]);
        auto const byte = to_code_page(c);
        if (!byte || c < u' ' || never_allowed.contains(c) || not_in_labels.contains(c)) {
            return refuse("can't be a volume label; use letters, digits, '-' and '_'");
        }
        out[i] = *byte;
    }
    if (!wide) {
        return refuse("can't be a volume label: it isn't UTF-8");
    }
    if (out[0] == free_mark) {
        out[0] = stands_for_free_mark;
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
