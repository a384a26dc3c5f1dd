// `sinew run` and `sinew test`: the project on this machine.
#include <sinew/tooling/cmake_build.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/interrupt_notice.hpp>
#include <sinew/tooling/prebuilt.hpp>
#include <sinew/tooling/process.hpp>
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <memory>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string filter;
    std::string sanitizers;
    bool build_only = false;
};

struct HostBuild {
    Project project;
    fs::path folder;
};

Result<HostBuild> build_for_host(Context& context, Options const& options, std::vector<std::string> targets) {
    TRY(auto const root, context.root());
    TRY(auto project, Project::load(context, fs::current_path()));
    std::string const machine = options.sanitizers.empty() ? "host" : "host-" + options.sanitizers;
    fs::path const folder = project.build_folder(machine);
    std::string const compiler = environment("CXX");
    CmakeVariables variables = {{"SINEW_SANITIZE", options.sanitizers}, {"CMAKE_BUILD_TYPE", "Debug"}};
    Part libraries{.kind = PartKind::libraries,
                   .name = machine,
                   .label = "Sinew's libraries for this machine",
                   .variables = variables,
                   .compiler = compiler.empty() ? "c++" : compiler};
    libraries.variables.emplace_back("SINEW_COMPONENTS", "application");
    libraries.variables.emplace_back("SINEW_TESTS", "OFF");
    InterruptNotice const notice;
    TRY(auto const prebuilt, prebuilt_part(context, libraries));
    variables.emplace_back("SINEW_ROOT", root.string());
    variables.emplace_back("SINEW_PREBUILT", prebuilt.string());
    variables.emplace_back("CMAKE_EXPORT_COMPILE_COMMANDS", "ON");
    TRY_OK(build_with_cmake(context.console(),
                            {.source = project.folder(),
                             .folder = folder,
                             .variables = std::move(variables),
                             .targets = std::move(targets),
                             .label = "building " + project.config().name + " for this machine"}));
    return HostBuild{std::move(project), folder};
}

/// What the program itself can't say.
void tell_end(Console& console, fs::path const& program, ExitStatus status) {
    std::string const sentence = fmt::format("{} {}", program.filename().string(), to_string(status));
    if (status.is_success()) {
        console.say(sentence + ".");
    } else if (status.signal()) {
        console.warn(
            fmt::format("{}. If it left a stack above, `addr2line -Cfipe {} 0x...` tells the line of a "
                        "place in it.",
                        sentence, program.string()));
    } else {
        console.warn(sentence + "; what it logged last says why.");
    }
}

Result<int> run_project(Context& context, Options const& options) {
    TRY(auto const built, build_for_host(context, options, {}));
    std::string const& name = built.project.config().name;
    fs::path const program = built.folder / "bin" / name;
    if (!fs::exists(program)) {
        return failure(ErrorCode::not_found,
                       fmt::format("the build made no program {}: CMakeLists.txt should have "
                                   "sinew_application({} ...)",
                                   program.string(), name));
    }
    if (options.build_only) {
        return 0;
    }
    context.console().step(
        fmt::format("{} runs on this machine with a simulated board; Ctrl-C ends it.", name));
    TRY(auto const status,
        run_attached({program.string()},
                     {.working_directory = built.project.folder(),
                      .environment = {{"SINEW_CONFIG_DIR", (built.project.folder() / "config").string()},
                                      {"SINEW_TARGET", "host"}}}));
    tell_end(context.console(), program, status);
    return status.shell_status();
}

Result<int> test_project(Context& context, Options const& options) {
    TRY(auto const built, build_for_host(context, options, {"all"}));
    std::vector<std::string> arguments = {"ctest", "--test-dir", built.folder.string(), "--output-on-failure",
                                          "--no-tests=error"};
    if (!options.filter.empty()) {
        arguments.insert(arguments.end(), {"-R", options.filter});
    }
    TRY(auto const status, run_attached(arguments));
    if (!status.is_success()) {
        return failure(ErrorCode::invalid_argument,
                       options.filter.empty()
                           ? std::string("tests failed, or there are none")
                           : fmt::format("tests failed, or none is called '{}'", options.filter));
    }
    return 0;
}

Argument sanitize_option(std::shared_ptr<Options> const& options) {
    return {.names = "--sanitize",
            .target = &options->sanitizers,
            .help = "Build with sanitizers",
            .value_name = "LIST",
            .choices = {"address,undefined", "thread"}};
}

} // namespace

Command run_command_description() {
    auto options = std::make_shared<Options>();
    Command command{.name = "run",
                    .summary = "Build the project for this machine and run it with a simulated board"};
    command.examples = {{"sinew run", "until Ctrl-C"},
                        {"sinew run --sanitize address,undefined", "with memory errors found"}};
    command.options = {
        sanitize_option(options),
        {.names = "--build-only", .target = &options->build_only, .help = "Build, but don't run"}};
    command.run = [options](Context& context) { return run_project(context, *options); };
    return command;
}

Command test_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "test", .summary = "Build and run the project's unit tests on this machine"};
    command.examples = {{"sinew test", "all of them"},
                        {"sinew test --filter Led", "those whose name holds Led"}};
    command.options = {{.names = "--filter,-f",
                        .target = &options->filter,
                        .help = "Only tests whose name matches",
                        .value_name = "PATTERN"},
                       sanitize_option(options)};
    command.run = [options](Context& context) { return test_project(context, *options); };
    return command;
}

} // namespace sinew::tooling
