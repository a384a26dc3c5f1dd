/// The command PID 1 exists for, and everyone's orphans.
///
/// Invariant: after reap() returned, no zombie is left that was there before.
/// Threading: one thread.
#pragma once

#include <sinew/base/exit_status.hpp>
#include <sinew/base/result.hpp>

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::init {

struct CommandSpec {
    std::vector<std::string> arguments;
    /// The whole environment.
    std::vector<std::pair<std::string, std::string>> environment;
    /// Descriptors it gets: {the one here, its number there}.
    std::vector<std::pair<int, int>> descriptors = {};
};

/// Starts the command in a session of its own, with all signals unblocked, standard input from /dev/null, and
/// output on the console. Errors as those of Process::start().
[[nodiscard]] Result<pid_t> start_command(CommandSpec const& spec);

/// Reaps every child that has ended. Returns how `command` ended if it was among them.
[[nodiscard]] std::optional<ExitStatus> reap(pid_t command);

/// True when there is no child at all, not even a running one.
[[nodiscard]] bool has_no_children();

/// Blocks every signal, so that they are taken one by one with next_signal().
void block_all_signals();

/// The next pending signal, or nothing after `at_most`.
[[nodiscard]] std::optional<int> next_signal(std::chrono::milliseconds at_most);

} // namespace sinew::init
