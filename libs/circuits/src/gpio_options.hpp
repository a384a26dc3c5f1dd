/// Which options contradict each other, whatever the board.
///
/// Threading: functions without shared state.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/circuits/line.hpp>

#include <string_view>

namespace sinew::circuits {

inline constexpr std::uint32_t most_buffered_edges = 1024;

/// Error invalid_argument, naming `line` and the two that don't fit.
[[nodiscard]] Result<> check_options(std::string_view line, GpioOptions const& options);

} // namespace sinew::circuits
