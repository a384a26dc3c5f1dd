/// Runs another program to its end and returns what it said, without a shell.
///
/// Blocks until the program ends; for tools, and for a runtime's blocking pool. To live with a program that
/// runs, use Process. Threading: safe from any thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <chrono>
#include <cstddef>
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
    /// Fed to standard input, then it is closed.
    std::optional<std::string> input{};
    /// Fills its argument with the next piece of the input, which comes after `input`; 0 bytes end it. Its
    /// error ends the program, and is run_command()'s.
    std::function<Result<std::size_t>(MutableBytesView)> read_input{};
    /// Standard input, when it isn't fed.
    Redirect unfed_input = Redirect::null();
    /// Redirect::output(): both outputs are one, in the order of writing.
    Redirect error_output = Redirect::pipe();
    /// By then all is over: the program has ended and its output is read, or it is killed (error timed_out).
    /// None: no limit.
    std::optional<std::chrono::milliseconds> timeout{};
    /// How long, at the timeout, it may take to end after SIGTERM; zero: SIGKILL at once.
    std::chrono::milliseconds end_grace{0};
    /// How long after its end somebody whom it has started may still write to its output.
    std::chrono::milliseconds drain_limit{2000};
    /// So much is kept of each output; the rest is read and dropped.
    std::size_t output_limit_bytes = 64u << 20;
    /// Called with each whole line of output and error output as it comes, without the line feed. One longer
    /// than 64 KiB comes in pieces.
    std::function<void(std::string_view)> on_line{};
    /// Empty: a group of its own when it has a timeout, and all that is left of it is killed at the end;
    /// otherwise the caller's, so that a terminal's Ctrl-C reaches all.
    std::optional<ProcessGroup> group{};
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

/// Runs `arguments[0]`, found in PATH. Returns whatever its status. Errors: those of Process::start();
/// timed_out.
[[nodiscard]] Result<CommandResult> run_command(std::vector<std::string> const& arguments,
                                                CommandOptions const& options = {});

/// Like run_command(), but a status other than 0 is an error that quotes the command and the end of what it
/// said.
[[nodiscard]] Result<std::string> run_checked(std::vector<std::string> const& arguments,
                                              CommandOptions const& options = {});

/// The full path of `program` in PATH, or nothing.
[[nodiscard]] std::optional<std::filesystem::path> find_program(std::string_view program);

} // namespace sinew
