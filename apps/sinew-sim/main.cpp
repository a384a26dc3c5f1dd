// sinew-sim: virtual hardware for emulated devices. Reads the arguments; src/commands.cpp does the rest.
#include "commands.hpp"
#include "protocol.hpp"

#include <sinew/base/result.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace {

constexpr char const* examples = R"(Examples:
  modprobe -a uhid hid-cp2112
  sinew-sim serve --socket /run/sinew-sim.sock --name LED0=0 --name BUTTON=1 &
  sinew-sim get LED0                  # the level that the kernel's writes made: 0 or 1
  sinew-sim set BUTTON 1              # press it; the kernel sees the edge within 40 ms
  sinew-sim watch LED0 --count 10     # time, line and level of the next ten changes
  sinew-sim list --json
  sinew-sim temperature 21.5          # what the TMP102 at I2C address 0x48 measures)";

/// Everything the command line can say; kept while CLI11 fills it.
struct Arguments {
    sinew::sim::ServeOptions serve;
    std::string socket_path = "/run/sinew-sim.sock";
    bool json = false;
    std::string line;
    int value = 0;
    std::optional<double> celsius;
    std::optional<std::uint64_t> count;
    std::optional<double> seconds;
};

void add_common(CLI::App& command, Arguments& arguments) {
    command.add_option("--socket", arguments.socket_path, "Path of the control socket")
        ->envname("SINEW_SIM_SOCKET")
        ->capture_default_str();
}

CLI::App& add_query(CLI::App& app, std::string const& name, std::string const& description,
                    Arguments& arguments) {
    CLI::App& command = *app.add_subcommand(name, description);
    add_common(command, arguments);
    command.add_flag("--json", arguments.json, "Print the server's answer as JSON");
    return command;
}

void add_commands(CLI::App& app, Arguments& arguments) {
    CLI::App& serve =
        *app.add_subcommand("serve", "Make a CP2112 (8 GPIO lines, I2C bus) appear, until SIGTERM");
    add_common(serve, arguments);
    serve.add_option("--device", arguments.serve.device, "The kernel's uhid device")->capture_default_str();
    serve.add_flag("--pairs", arguments.serve.pairs, "Wire lines 0-1, 2-3, 4-5 and 6-7 together");
    serve.add_option("--name", arguments.serve.names, "NAME=LINE: a name for a line in the commands below");

    CLI::App& get = add_query(app, "get", "Print the level of a line", arguments);
    get.add_option("LINE", arguments.line, "0 to 7, cp2112_gpio:N, or a name")->required();

    CLI::App& set = add_query(app, "set", "Drive an input line of the kernel from outside", arguments);
    set.add_option("LINE", arguments.line, "0 to 7, cp2112_gpio:N, or a name")->required();
    set.add_option("VALUE", arguments.value, "0 or 1")->required()->check(CLI::Range(0, 1));

    CLI::App& release = add_query(app, "release", "Let go of a line that was set", arguments);
    release.add_option("LINE", arguments.line, "0 to 7, cp2112_gpio:N, or a name")->required();

    CLI::App& watch = add_query(app, "watch", "Print each change of a line (or of all)", arguments);
    watch.add_option("LINE", arguments.line, "0 to 7, cp2112_gpio:N, or a name; none: every line");
    watch.add_option("--count", arguments.count, "End after that many changes");
    watch.add_option("--timeout", arguments.seconds, "Fail when no change comes for this many seconds")
        ->check(CLI::Range(0.001, 86400.0));

    add_query(app, "list", "Print every line", arguments);

    CLI::App& temperature = add_query(app, "temperature", "Print or set what the TMP102 measures", arguments);
    temperature.add_option("CELSIUS", arguments.celsius, "-55 to 127.9375");
}

sinew::Result<> run(CLI::App const& app, Arguments& arguments) {
    using namespace sinew::sim;
    if (app.got_subcommand("serve")) {
        arguments.serve.socket_path = arguments.socket_path;
        return serve(arguments.serve);
    }
    AskOptions options;
    options.socket_path = arguments.socket_path;
    options.format = arguments.json ? OutputFormat::json : OutputFormat::text;
    Request request;
    if (!arguments.line.empty()) {
        request.line = arguments.line;
    }
    if (app.got_subcommand("watch")) {
        request.command = Verb::watch;
        std::optional<std::chrono::milliseconds> timeout;
        if (arguments.seconds) {
            timeout = std::chrono::ceil<std::chrono::milliseconds>(
                std::chrono::duration<double>(*arguments.seconds));
        }
        return watch(options, request, arguments.count, timeout);
    }
    if (app.got_subcommand("set")) {
        request.command = Verb::set;
        request.value = arguments.value;
    } else if (app.got_subcommand("get")) {
        request.command = Verb::get;
    } else if (app.got_subcommand("release")) {
        request.command = Verb::release;
    } else if (app.got_subcommand("temperature")) {
        request.command = Verb::temperature;
        request.celsius = arguments.celsius;
    }
    return ask(options, request);
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Virtual hardware for emulated devices: a CP2112 USB bridge with 8 GPIO lines, an I2C "
                 "EEPROM (0x50) and\n"
                 "a temperature sensor (0x48), made of the kernel's uhid device. Drivers and programs see "
                 "real devices.");
    app.name("sinew-sim");
    app.footer(examples);
    app.require_subcommand(1);
    Arguments arguments;
    add_commands(app, arguments);
    CLI11_PARSE(app, argc, argv);
    auto const done = run(app, arguments);
    if (!done) {
        std::fputs(("sinew-sim: " + done.error().message() + "\n").c_str(), stderr);
        return 1;
    }
    return 0;
}
