/// Runs another program and waits for it, without a shell.
///
/// Blocks until the program ends; for tools, and for a runtime's blocking pool. Threading: safe from any
/// thread.
#pragma once

#include <sinew/base/result.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {

/// How a program is run.
struct CommandOptions {
    /// Where; empty: here.
    std::filesystem::path working_directory{};
    /// Added to the environment of this process; an empty value is set as empty.
    std::vector<std::pair<std::string, std::string>> environment{};
    /// Fed to standard input, then it is closed. Without it standard input is /dev/null.
    std::optional<std::string> input{};
    /// The program is killed after this time (error timed_out); none means no limit.
    std::optional<std::chrono::milliseconds> timeout{};
    /// Called with each whole line of output and error output as it comes, without the line feed.
    std::function<void(std::string_view)> on_line{};
};

/// What became of it.
struct CommandResult {
    /// The exit status; 128 + N when ended by signal N.
    int status = 0;
    /// What it wrote to standard output.
    std::string output;
    /// What it wrote to standard error.
    std::string error_output;
};

/// Runs `arguments[0]`, found in PATH. Returns whatever its status. At most 64 MiB of output are kept.
/// Errors: not_found: no such program; timed_out.
[[nodiscard]] Result<CommandResult> run_command(std::vector<std::string> const& arguments,
                                                CommandOptions const& options = {});

/// Like run_command(), but a status other than 0 is an error that quotes the command and the end of what it
/// said.
[[nodiscard]] Result<std::string> run_checked(std::vector<std::string> const& arguments,
                                              CommandOptions const& options = {});

/// The full path of `program` in PATH, or nothing.
[[nodiscard]] std::optional<std::filesystem::path> find_program(std::string_view program);

} // namespace sinew
