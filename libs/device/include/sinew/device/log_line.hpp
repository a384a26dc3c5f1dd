/// A line that another program printed, as a line of this program's log.
///
/// Threading: pure functions.
#pragma once

#include <sinew/otp/log.hpp>

#include <string_view>

namespace sinew::device {

struct LogLine {
    log::Level level = log::Level::info;
    /// Points into the line it was read from.
    std::string_view text;
};

/// A line of a Sinew program ("2026-11-22 22:10:36.123 [warning] text") without its time, at its level; any
/// other line as it is, at level info.
[[nodiscard]] LogLine read_log_line(std::string_view line) noexcept;

} // namespace sinew::device
