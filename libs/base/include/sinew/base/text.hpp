/// Small work on text: cut it, put it together, read numbers.
///
/// Invariant: what a function returns as a view lies in the text that it was given.
/// Threading: pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sinew {

/// The parts of `text` between the separators; one more than there are separators.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
/// Those that aren't empty.
[[nodiscard]] std::vector<std::string_view> split_nonempty(std::string_view text, char separator);

/// "a, b, c".
[[nodiscard]] std::string join(std::vector<std::string> const& parts, std::string_view separator = ", ");
[[nodiscard]] std::string join(std::vector<std::string_view> const& parts, std::string_view separator = ", ");

/// Without spaces, tabs and line ends at either end.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// The number that `text` is, all of it, from `least` to `most`: digits of `base` (2 to 36), after a '-' if it
/// is negative. Nothing: it is something else.
[[nodiscard]] std::optional<std::int64_t> parse_int64(std::string_view text, std::int64_t least,
                                                      std::int64_t most, int base = 10) noexcept;
[[nodiscard]] std::optional<std::uint64_t> parse_uint64(std::string_view text, std::uint64_t most,
                                                        int base = 10) noexcept;

/// The number in front of `text`, at most `most`, which is then cut off. Nothing: there is none, or it is
/// larger, and `text` stays.
[[nodiscard]] std::optional<std::uint64_t> take_uint64(std::string_view& text, std::uint64_t most,
                                                       int base = 10) noexcept;

/// parse_int64() or parse_uint64() for the range of `Integer`.
template<typename Integer>
[[nodiscard]] std::optional<Integer> parse_number(std::string_view text, int base = 10) noexcept {
    using Limits = std::numeric_limits<Integer>;
    if constexpr (std::is_signed_v<Integer>) {
        auto const number = parse_int64(text, Limits::min(), Limits::max(), base);
        return number ? std::optional(static_cast<Integer>(*number)) : std::nullopt;
    } else {
        auto const number = parse_uint64(text, Limits::max(), base);
        return number ? std::optional(static_cast<Integer>(*number)) : std::nullopt;
    }
}

/// take_uint64() for the range of `Integer`.
template<typename Integer>
[[nodiscard]] std::optional<Integer> take_number(std::string_view& text, int base = 10) noexcept {
    auto const most = static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
    auto const number = take_uint64(text, most, base);
    return number ? std::optional(static_cast<Integer>(*number)) : std::nullopt;
}

enum class LineFeed : std::uint8_t { escaped, kept };

/// `text` of unknown origin as it may be shown: what a terminal would obey (control characters, those that
/// turn the direction of writing, bytes that aren't UTF-8) is written as C has it, "\n" or "\x1b". With
/// LineFeed::kept line feeds and tabs stay.
[[nodiscard]] std::string printable(std::string_view text, LineFeed line_feeds = LineFeed::escaped);

/// With the octal escapes taken back that the kernel's tables write spaces as: "my\040disk".
[[nodiscard]] std::string unescape_octal(std::string_view text);

} // namespace sinew
