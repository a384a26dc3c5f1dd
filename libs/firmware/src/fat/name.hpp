/// File names on FAT: long names in UTF-16, short names of 8 and 3 characters, and how one entry spells both.
///
/// Threading: plain values and free functions.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

using ShortName = std::array<char, 11>;

/// UTF-16 of a UTF-8 name. Error invalid_argument: empty, over 255 units, not UTF-8, or a character FAT
/// doesn't allow.
[[nodiscard]] Result<std::u16string> long_name(std::string_view name);
/// Whether two long names are the same to FAT, which ignores the case.
[[nodiscard]] bool same_name(std::u16string_view a, std::u16string_view b);
/// A name that needs no long one: 8.3 in ASCII, the letters of each part all of one case.
struct ShortForm {
    ShortName name{};
    /// Byte 12 of the entry: which parts are lower case.
    std::uint8_t case_flags = 0;
};
[[nodiscard]] std::optional<ShortForm> short_form(std::u16string_view name);
/// A short alias of a long name, in code page 850; `tail` N > 0 ends it in "~N".
[[nodiscard]] ShortName make_short_name(std::u16string_view name, std::uint32_t tail);
/// The name a short entry stands for, as UTF-16; `case_flags` is its byte 12.
[[nodiscard]] std::u16string short_to_long(ShortName const& name, std::uint8_t case_flags);
[[nodiscard]] std::uint8_t short_name_checksum(ShortName const& name);
/// A volume label, upper case and padded with spaces. Error invalid_argument: over 11 characters, or one not
/// allowed.
[[nodiscard]] Result<ShortName> volume_label(std::string_view label);
/// The parts of a path: "a/b" and "/a/b" are the same. Error invalid_argument.
[[nodiscard]] Result<std::vector<std::u16string>> split_path(std::string_view path);

} // namespace sinew::firmware
