/// sinewd: the device daemon, and the commands of a device's shell.
///
/// Threading: one thread here; the daemon starts its own.
#include "daemon.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device.hpp>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace sinew;

constexpr char const* usage =
    "usage: sinewd [--config FILE]            runs the device: PID 1's command\n"
    "       sinewd [--config FILE] status [--json]   how the device is doing\n"
    "       sinewd [--config FILE] update [--check]   installs the .fw on standard input (sinew-update)\n"
    "       sinewd observe [NAME]             connects standard input and output to what the application "
    "NAME\n"
    "                                         tells its observers (sinew observe --device)\n"
    "\n"
    "  --config FILE   default: /etc/sinew/device.toml\n"
    "  --check         only say whether an update would be taken now\n"
    "  --json          the status as it is in /run/sinew/status.json\n"
    "  --help          this text\n";

struct CommandLine {
    std::string config = device::default_device_config_path;
    std::string command;
    std::string application;
    bool json = false;
    bool check = false;
    bool help = false;
};

Result<CommandLine> parse(std::span<char*> arguments) {
    CommandLine line;
    for (std::size_t at = 1; at < arguments.size(); ++at) {
        std::string_view const argument(arguments[at]);
        if (argument == "--help" || argument == "-h") {
            line.help = true;
        } else if (argument == "--json") {
            line.json = true;
        } else if (argument == "--check" && line.command == "update") {
            line.check = true;
        } else if (argument == "--config" && at + 1 < arguments.size()) {
            line.config = arguments[++at];
        } else if (line.command.empty() &&
                   (argument == "status" || argument == "update" || argument == "observe")) {
            line.command = argument;
        } else if (line.command == "observe" && line.application.empty() && !argument.starts_with('-')) {
            line.application = argument;
        } else {
            return failure(ErrorCode::invalid_argument,
                           "unknown argument '" + std::string(argument) + "'; see sinewd --help");
        }
    }
    return line;
}

Result<> print_status(bool as_json) {
    auto const text = read_text_file(device::status_path, 64u << 10);
    if (!text) {
        return failure(ErrorCode::unavailable, "the device daemon isn't running: " + text.error().message());
    }
    TRY(auto status, from_json<device::DeviceStatus>(*text, device::status_path));
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now); // The file's is up to half a minute old.
    status.uptime_s = now.tv_sec;
    std::fputs((as_json ? to_json(status) + "\n" : device::describe_for_people(status)).c_str(), stdout);
    return {};
}

int update(std::string const& config_path) {
    auto const config = device::load_device_config(config_path);
    if (!config) {
        std::fprintf(stderr, "sinew-update: %s\n", config.error().message().c_str());
        return 1;
    }
    return device::run_update(*config);
}

} // namespace

int main(int argument_count, char** arguments) {
    auto const line = parse(std::span(arguments, static_cast<std::size_t>(argument_count)));
    if (!line) {
        std::fprintf(stderr, "sinewd: %s\n", line.error().message().c_str());
        return 2;
    }
    if (line->help) {
        std::fputs(usage, stdout);
        return 0;
    }
    if (line->command == "update") {
        return line->check ? device::check_update() : update(line->config);
    }
    if (line->command == "observe") {
        auto const relayed = device::relay_observer(line->application);
        if (!relayed) {
            std::fprintf(stderr, "sinewd: %s\n", relayed.error().message().c_str());
        }
        return relayed ? 0 : 1;
    }
    if (line->command == "status") {
        auto const printed = print_status(line->json);
        if (!printed) {
            std::fprintf(stderr, "sinewd: %s\n", printed.error().message().c_str());
        }
        return printed ? 0 : 1;
    }
    return daemon::run_daemon(line->config);
}
