/// The sentences of GPIO errors, in one place so that every board says the same.
///
/// Invariant: each names the line as the caller wrote it, the cause, and a remedy.
/// Threading: functions without shared state.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/circuits/line.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::circuits {

[[nodiscard]] Error no_such_line(std::string_view wanted, std::vector<ChipInfo> const& chips,
                                 std::vector<LineInfo> const& lines);
[[nodiscard]] Error no_such_offset(std::string_view wanted, ChipInfo const& chip);
[[nodiscard]] Error ambiguous_line(std::string_view wanted, std::span<std::string const> candidates);
[[nodiscard]] Error chip_not_usable(std::string_view wanted, ChipInfo const& chip);
[[nodiscard]] Error no_gpio();
/// `line.consumer` is who holds it; may be empty.
[[nodiscard]] Error line_busy(LineInfo const& line);
[[nodiscard]] Error write_to_input(LineInfo const& line);
[[nodiscard]] Error edges_not_requested(LineInfo const& line);
/// What errno `sys_errno` means for `doing` ("read", "write") on an open line.
[[nodiscard]] Error line_failure(int sys_errno, std::string_view doing, LineInfo const& line);
/// What errno `sys_errno` means when taking or reconfiguring `line` with `options`.
[[nodiscard]] Error request_failure(int sys_errno, LineInfo const& line, GpioOptions const& options);

} // namespace sinew::circuits
