/// Keeps the clock of a machine without a battery from going back to 1970.
///
/// Invariant: the clock is only ever moved forward here.
/// Threading: one thread.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace sinew::init {

/// Seconds since 1970 in the text of a saved time: digits and a line feed. Nothing for anything else, and for
/// times after the year 2100: a wrong time in the far future would never be left again.
[[nodiscard]] std::optional<std::int64_t> parse_saved_time(std::string_view text);

/// Sets the clock to `floor` (seconds since 1970) if it is below that. Returns whether it was. Error denied.
[[nodiscard]] Result<bool> raise_clock_to(std::int64_t floor);

/// The time saved in `file`, or nothing.
[[nodiscard]] std::optional<std::int64_t> load_saved_time(std::filesystem::path const& file);

/// Saves the time of now.
[[nodiscard]] Result<> save_time(std::filesystem::path const& file);

} // namespace sinew::init
