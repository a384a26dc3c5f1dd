/// From one process to two: the step that can't be written in ordinary C++, kept apart from all that can.
///
/// Threading: safe in a program with threads: the child shares this program's memory until it has become
/// another program, runs only system calls meanwhile, and the calling thread stands still.
#pragma once

#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <sys/types.h>

#include <span>
#include <utility>
#include <vector>

namespace sinew::detail {

/// All that the child needs, made before it exists.
struct SpawnPlan {
    char const* program;
    /// Both end with a null.
    char* const* arguments;
    char* const* environment;
    /// Null: the caller's.
    char const* working_directory;
    /// {the caller's descriptor, its number in the program}; the child changes it.
    std::vector<std::pair<int, int>> descriptors;
    std::span<int const> ignored_signals;
    ProcessGroup group;
    int signal_at_owners_end;
};

/// Starts it. Returns once it has become the program, or couldn't: error as chdir(2) or execve(2).
[[nodiscard]] Result<pid_t> spawn(SpawnPlan plan);

} // namespace sinew::detail
