/// What each command of fwup does.
///
/// Threading: one command runs, on the main thread.
#pragma once

#include "console.hpp"
#include "options.hpp"

#include <sinew/base/result.hpp>

namespace sinew::fwup {

/// Runs the command of `options` and prints its result. The error is for the caller to print.
[[nodiscard]] Result<> run_command(Options const& options, Console& console);

} // namespace sinew::fwup
