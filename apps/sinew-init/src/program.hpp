/// Runs a helper program (e2fsck, mke2fs) from PID 1, with an end to its time.
///
/// Invariant: when run_program() returns, the program is gone.
/// Threading: one thread; blocks up to the limit, calling `while_waiting` every second at least.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>

#include <functional>
#include <string>
#include <vector>

namespace sinew::init {

/// Runs `arguments[0]`, which is a path, with PID 1's own output. `while_waiting` restarts the hardware
/// watchdog: the limit, not the watchdog, bounds the program. Returns the exit status; 128 + N when ended by
/// signal N. Errors: not_found; timed_out: it was killed.
[[nodiscard]] Result<int> run_program(std::vector<std::string> const& arguments, Duration limit,
                                      std::function<void()> const& while_waiting);

} // namespace sinew::init
