/// Runs a program that keeps the terminal: its output goes straight to the user, Ctrl-C ends it in order.
///
/// Invariant: when run_attached() returns the program has ended and been reaped, and the signal mask is as
/// before. Call from the main thread only (it waits for signals of the whole process).
#pragma once

#include <sinew/base/exit_status.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace sinew::tooling {

/// Who sees Ctrl-C. With `asks_to_end` the program doesn't get the terminal's interrupt, but SIGTERM instead,
/// so that it ends in order; a second Ctrl-C kills it. With `passes_on` the program handles the terminal
/// itself.
enum class OnInterrupt : std::uint8_t { asks_to_end, passes_on };

struct AttachedOptions {
    std::filesystem::path working_directory = {};
    std::vector<std::pair<std::string, std::string>> environment = {};
    OnInterrupt on_interrupt = OnInterrupt::asks_to_end;
};

/// Runs `arguments[0]`, found in PATH, and returns how it ended. Blocks until then. Errors: not_found: no such
/// program; io: it could not be started.
[[nodiscard]] Result<ExitStatus> run_attached(std::vector<std::string> const& arguments,
                                              AttachedOptions const& options = {});

} // namespace sinew::tooling
