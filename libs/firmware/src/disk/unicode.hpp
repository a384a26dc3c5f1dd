/// Text in the forms that disk formats have it: UTF-16, and the code page of short FAT names.
///
/// Threading: free functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

/// UTF-16 of UTF-8 text; nothing if it isn't valid UTF-8.
[[nodiscard]] std::optional<std::u16string> utf16_of(std::string_view text);

/// The upper-case form of a Latin, Greek or Cyrillic letter; anything else as it is.
[[nodiscard]] char16_t to_upper(char16_t c);

/// A byte of code page 850 as UTF-16, and back; nothing if the page doesn't have the character.
[[nodiscard]] char16_t from_code_page(char byte);
[[nodiscard]] std::optional<char> to_code_page(char16_t c);

} // namespace sinew::firmware
