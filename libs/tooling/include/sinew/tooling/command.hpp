/// Command: the description of one command, from which come its parser, its --help and its shell completion.
///
/// A command's file describes it without naming the parser library, so only cli.cpp compiles that. Invariant:
/// an option's target outlives the Command, because `run` shares ownership of the options struct.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinew::tooling {

class Context;

/// Where a parsed argument goes. A bool makes a flag; a vector takes any number.
using ArgumentTarget =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::int64_t*, std::vector<std::string>*>;

/// What kind of word a shell may offer in its place.
enum class Completes : std::uint8_t { nothing, file, folder, target };

struct Argument {
    /// "--output,-o" for an option, "NAME" for a positional argument.
    std::string names;
    ArgumentTarget target;
    /// One line for --help.
    std::string help = {};
    /// How --help calls the value, e.g. "FILE"; empty for flags.
    std::string value_name = {};
    /// The only values allowed; empty: any.
    std::vector<std::string> choices = {};
    bool required = false;
    Completes completes = Completes::nothing;
};

/// One line of a command's examples.
struct Example {
    std::string command_line;
    std::string explanation;
};

struct Command {
    std::string name;
    /// One line, beginning with a verb.
    std::string summary;
    std::vector<Example> examples = {};
    std::vector<Argument> options = {};
    std::vector<Argument> positionals = {};
    std::vector<Command> subcommands = {};
    /// Carries it out and returns the exit status. Empty when a subcommand must be named.
    std::function<Result<int>(Context&)> run = {};
};

/// All commands of `sinew`, in the order --help shows them.
[[nodiscard]] std::vector<Command> all_commands();

// One function a command, each in the file of its name.
[[nodiscard]] Command new_command();
[[nodiscard]] Command run_command_description();
[[nodiscard]] Command test_command();
[[nodiscard]] Command firmware_command();
[[nodiscard]] Command burn_command();
[[nodiscard]] Command emulate_command();
[[nodiscard]] Command upload_command();
[[nodiscard]] Command observe_command();
[[nodiscard]] Command top_command();
[[nodiscard]] Command key_command();
[[nodiscard]] Command fw_command();
[[nodiscard]] Command system_command();
[[nodiscard]] Command doctor_command();
[[nodiscard]] Command completion_command();

} // namespace sinew::tooling
