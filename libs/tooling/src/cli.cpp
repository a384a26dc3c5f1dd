// The command line: turns the Command descriptions into a parser and runs what was asked for.
//
// The one file that knows the parser library (CLI11), which takes seconds to compile.
#include <sinew/tooling.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/version.hpp>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <exception>

namespace sinew::tooling {

namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;

struct GlobalFlags {
    bool json = false;
    bool verbose = false;
};

std::string examples_text(Command const& command) {
    std::size_t width = 0;
    for (Example const& example : command.examples) {
        width = std::max(width, example.command_line.size());
    }
    std::string text = command.examples.empty() ? "" : "Examples:\n";
    for (Example const& example : command.examples) {
        text += fmt::format("  {:<{}}   {}\n", example.command_line, width, example.explanation);
    }
    return text;
}

CLI::Option* add(CLI::App& app, Argument const& argument) {
    CLI::Option* option = nullptr;
    if (auto* const* flag = std::get_if<bool*>(&argument.target)) {
        return app.add_flag(argument.names, **flag, argument.help);
    }
    std::visit([&](auto* target) { option = app.add_option(argument.names, *target, argument.help); },
               argument.target);
    option->required(argument.required);
    if (!argument.value_name.empty()) {
        option->type_name(argument.value_name);
    }
    if (!argument.choices.empty()) {
        option->check(CLI::IsMember(argument.choices));
        option->type_name(argument.value_name);
    }
    return option;
}

void add_global_flags(CLI::App& app, GlobalFlags& flags) {
    app.add_flag("--json", flags.json, "Print one JSON object for scripts")->group("Everywhere");
    app.add_flag("--verbose,-v", flags.verbose, "Say more, and how long each step took")->group("Everywhere");
}

void describe(CLI::App& app, Command const& command, GlobalFlags& flags, Command const*& chosen) {
    app.footer(examples_text(command));
    app.set_help_flag("--help,-h", "Print this help");
    add_global_flags(app, flags);
    for (Argument const& argument : command.positionals) {
        add(app, argument);
    }
    for (Argument const& argument : command.options) {
        add(app, argument);
    }
    for (Command const& inner : command.subcommands) {
        describe(*app.add_subcommand(inner.name, inner.summary), inner, flags, chosen);
    }
    if (!command.subcommands.empty()) {
        app.require_subcommand(1);
    }
    if (command.run) {
        app.callback([&command, &chosen] { chosen = &command; });
    }
}

/// The subcommand that was being parsed, for "see `sinew key --help`".
std::string innermost_name(CLI::App const& app) {
    std::string name = app.get_name();
    for (CLI::App const* inner : app.get_subcommands()) {
        name += " " + innermost_name(*inner);
    }
    return name;
}

std::string usage_problem(CLI::App const& app, CLI::ParseError const& problem,
                          std::span<char const* const> arguments) {
    std::string text = problem.what();
    bool const no_command = app.get_subcommands().empty();
    if (no_command && !arguments.empty() && arguments.front()[0] != '-') {
        return fmt::format("there is no command '{}'; `sinew --help` lists them", arguments.front());
    }
    if (no_command && dynamic_cast<CLI::RequiredError const*>(&problem) != nullptr) {
        return "name a command; `sinew --help` lists them";
    }
    return fmt::format("{}; see `{} --help`", text, innermost_name(app));
}

int carry_out(Command const& command, Console& console) {
    Context context(console, Paths::discover());
    auto result = command.run(context);
    console.end_progress();
    if (!result) {
        console.error(result.error());
        return failed;
    }
    return *result;
}

} // namespace

std::vector<Command> all_commands() {
    std::vector<Command> commands;
    commands.push_back(new_command());
    commands.push_back(run_command_description());
    commands.push_back(test_command());
    commands.push_back(firmware_command());
    commands.push_back(burn_command());
    commands.push_back(emulate_command());
    commands.push_back(upload_command());
    commands.push_back(observe_command());
    commands.push_back(top_command());
    commands.push_back(key_command());
    commands.push_back(fw_command());
    commands.push_back(system_command());
    commands.push_back(doctor_command());
    commands.push_back(completion_command());
    return commands;
}

int run(std::span<char const* const> arguments) {
    std::signal(SIGPIPE, SIG_IGN);
    // Nothing that is made here, keys, packages and firmware among it, is for others to write to.
    umask(umask(0) | S_IWGRP | S_IWOTH);
    auto const commands = all_commands();
    GlobalFlags flags;
    Command const* chosen = nullptr;
    CLI::App app("Build firmware for embedded Linux devices in C++", "sinew");
    app.set_help_flag("--help,-h", "Print this help");
    app.set_version_flag("--version", fmt::format("sinew {}", version));
    app.require_subcommand(1);
    app.footer("`sinew COMMAND --help` explains a command with examples. Begin with `sinew new blinky`.");
    add_global_flags(app, flags);
    for (Command const& command : commands) {
        describe(*app.add_subcommand(command.name, command.summary), command, flags, chosen);
    }
    auto console_now = [&flags] {
        auto options = Console::detect(stdout);
        options.json = flags.json;
        options.verbose = flags.verbose;
        return Console(stdout, stderr, options);
    };
    try {
        std::vector<std::string> words(arguments.rbegin(), arguments.rend());
        app.parse(std::move(words));
    } catch (CLI::Success const& help_or_version) {
        return app.exit(help_or_version);
    } catch (CLI::ParseError const& problem) {
        auto console = console_now();
        console.error(Error(ErrorCode::invalid_argument, usage_problem(app, problem, arguments)));
        return wrong_usage;
    }
    auto console = console_now();
    try {
        return carry_out(*chosen, console);
    } catch (std::exception const& bug) {
        console.error(Error(ErrorCode::internal,
                            fmt::format("internal error: {}; this is a bug in sinew", bug.what())));
        return failed;
    }
}

} // namespace sinew::tooling
