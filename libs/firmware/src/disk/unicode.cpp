/// Conversions of characters.
#include "disk/unicode.hpp"

#include <sinew/base/utf8.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

/// Code page 850 from 0x80 on.
constexpr std::array<char16_t, 128> code_page_850{
    0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF, 0x00EE,
    0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9, 0x00FF, 0x00D6,
    0x00DC, 0x00F8, 0x00A3, 0x00D8, 0x00D7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA, 0x00F1, 0x00D1, 0x00AA,
    0x00BA, 0x00BF, 0x00AE, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x00C1, 0x00C2, 0x00C0, 0x00A9, 0x2563, 0x2551, 0x2557, 0x255D, 0x00A2, 0x00A5, 0x2510, 0x2514,
    0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x00E3, 0x00C3, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256C, 0x00A4, 0x00F0, 0x00D0, 0x00CA, 0x00CB, 0x00C8, 0x0131, 0x00CD, 0x00CE, 0x00CF, 0x2518, 0x250C,
    0x2588, 0x2584, 0x00A6, 0x00CC, 0x2580, 0x00D3, 0x00DF, 0x00D4, 0x00D2, 0x00F5, 0x00D5, 0x00B5, 0x00FE,
    0x00DE, 0x00DA, 0x00DB, 0x00D9, 0x00FD, 0x00DD, 0x00AF, 0x00B4, 0x00AD, 0x00B1, 0x2017, 0x00BE, 0x00B6,
    0x00A7, 0x00F7, 0x00B8, 0x00B0, 0x00A8, 0x00B7, 0x00B9, 0x00B3, 0x00B2, 0x25A0, 0x00A0};

bool is_between(char16_t c, char16_t first, char16_t last) {
    return c >= first && c <= last;
}

/// In these ranges an upper-case letter stands in front of its lower-case one.
char16_t upper_of_pair(char16_t c, bool lower_is_odd) {
    return ((c & 1) != 0) == lower_is_odd ? static_cast<char16_t>(c - 1) : c;
}

} // namespace

std::optional<std::u16string> utf16_of(std::string_view text) {
    std::u16string out;
    while (!text.empty()) {
        auto const point = take_code_point(text);
        if (!point) {
            return std::nullopt;
        }
        if (*point >= 0x10000) {
            out.push_back(static_cast<char16_t>(0xD800 + ((*point - 0x10000) >> 10)));
            out.push_back(static_cast<char16_t>(0xDC00 + ((*point - 0x10000) & 0x3FF)));
        } else {
            out.push_back(static_cast<char16_t>(*point));
        }
    }
    return out;
}

char16_t to_upper(char16_t c) {
    if (is_between(c, u'a', u'z') || (is_between(c, 0xE0, 0xFE) && c != 0xF7) ||
        (is_between(c, 0x3B1, 0x3C9) && c != 0x3C2) || is_between(c, 0x430, 0x44F)) {
        return static_cast<char16_t>(c - 0x20);
    }
    if (c == 0xFF) {
        return 0x178;
    }
    if (is_between(c, 0x450, 0x45F)) {
        return static_cast<char16_t>(c - 0x50);
    }
    if (is_between(c, 0x100, 0x137) && c != 0x131) {
        return upper_of_pair(c, true);
    }
    if (is_between(c, 0x139, 0x148) || is_between(c, 0x179, 0x17E)) {
        return upper_of_pair(c, false);
    }
    return is_between(c, 0x14A, 0x177) ? upper_of_pair(c, true) : c;
}

char16_t from_code_page(char byte) {
    auto const value = static_cast<unsigned char>(byte);
    return value < 0x80 ? char16_t{value} : code_page_850[value - 0x80u];
}

std::optional<char> to_code_page(char16_t c) {
    if (c < 0x80) {
        return static_cast<char>(c);
    }
    auto const found = std::ranges::find(code_page_850, c);
    return found == code_page_850.end()
               ? std::nullopt
               : std::optional(static_cast<char>(0x80 + (found - code_page_850.begin())));
}

} // namespace sinew::firmware
