// `sinew new`: a project from the template.
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/template.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <memory>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string name;
    std::string target = "x86_64";
};

Result<int> create(Context& context, Options const& options) {
    TRY(auto const folder, create_project(context, fs::current_path(), options.name, options.target));
    Console& console = context.console();
    console.success(fmt::format("Made {} for {}.", folder.filename().string(), options.target));
    console.say(fmt::format("\nNext:\n"
                            "  cd {}\n"
                            "  sinew run        # on this machine, with a simulated board\n"
                            "  sinew test       # its unit tests, in virtual time\n"
                            "  sinew firmware   # a flashable image\n"
                            "  sinew emulate    # boot it without hardware",
                            options.name));
    console.result(
        object({{"project", options.name}, {"folder", folder.string()}, {"target", options.target}}));
    return 0;
}

} // namespace

Command new_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "new", .summary = "Create a project"};
    command.examples = {{"sinew new blinky", "an LED that blinks and a button, for x86_64"},
                        {"sinew new sensor_node --target x86_64", "the target named"}};
    command.positionals = {{.names = "NAME",
                            .target = &options->name,
                            .help = "The project's name: lower-case letters, digits, underscores",

                            .required = true}};
    command.options = {{.names = "--target,-t",
                        .target = &options->target,
                        .help = "The device it is for (default x86_64)",
                        .value_name = "TARGET",
                        .completes = Completes::target}};
    command.run = [options](Context& context) { return create(context, *options); };
    return command;
}

} // namespace sinew::tooling
