#include "application/notify.hpp"
#include "application/pulse.hpp"
#include "application/services.hpp"
#include "application/stop_guard.hpp"
#include "log/settings.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/application.hpp>
#include <sinew/otp/applications.hpp>
#include <sinew/otp/config.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/logger.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/program_crash_reports.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {
namespace {

struct Arguments {
    std::filesystem::path config_directory;
    bool wants_help = false;
    bool wants_version = false;
};

std::string environment(char const* name, std::string_view otherwise) {
    char const* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before any thread is made
    return value != nullptr && *value != '\0' ? std::string(value) : std::string(otherwise);
}

/// config/ beside the folder the program is in, as in /srv/app/bin/NAME and /srv/app/config.
std::filesystem::path default_config_directory() {
    std::error_code error;
    std::filesystem::path const program = std::filesystem::read_symlink("/proc/self/exe", error);
    return environment("SINEW_CONFIG_DIR", (program.parent_path().parent_path() / "config").string());
}

Result<Arguments> parse_arguments(std::span<char const* const> argv) {
    Arguments arguments{.config_directory = default_config_directory()};
    for (std::size_t i = 1; i < argv.size(); ++i) {
        std::string_view const argument = argv[i];
        if (argument == "--help" || argument == "-h") {
            arguments.wants_help = true;
        } else if (argument == "--version") {
            arguments.wants_version = true;
        } else if (argument == "--config" && i + 1 < argv.size()) {
            arguments.config_directory = argv[++i];
        } else if (argument.starts_with("--config=")) {
            arguments.config_directory = argument.substr(std::string_view("--config=").size());
        } else {
            return failure(ErrorCode::invalid_argument, argument == "--config"
                                                            ? std::string("--config wants a folder")
                                                            : "unknown argument '" + std::string(argument) +
                                                                  "'; --help says what there is");
        }
    }
    return arguments;
}

void print_help(ApplicationInfo const& info) {
    std::string const name(info.name);
    (void)std::printf(
        "%s %.*s: a Sinew application\n\n"
        "  --config DIR   read config.toml, overlaid by host.toml or target.toml, from DIR\n"
        "                 (default: SINEW_CONFIG_DIR, else config/ beside the program's folder)\n"
        "  --version      print the version\n"
        "  --help         print this\n\n"
        "SINEW_TARGET chooses the overlay (host: host.toml, another name: target.toml),\n"
        "SINEW_LOG the least level logged: debug, info, notice, warning or error, also of one module\n"
        "(warning,led=debug), whatever [log] in the configuration says; SINEW_OBSERVE the socket for `sinew "
        "observe` (off: none).\n"
        "SIGTERM, SIGINT and SIGHUP stop it in order; another one says what it waits for, another SIGINT "
        "ends it.\n",
        name.c_str(), static_cast<int>(info.version.size()), info.version.data());
}

int complain(ApplicationInfo const& info, std::string const& sentence) {
    log::error(std::string(info.name) + ": " + sentence);
    return 1;
}

enum class Wakeup : std::uint8_t { signal, tree_ended };
Wakeup wait_for_signal_or_end(int asked_fd, int end_fd) {
    std::array<pollfd, 2> files{pollfd{.fd = asked_fd, .events = POLLIN, .revents = 0},
                                pollfd{.fd = end_fd, .events = POLLIN, .revents = 0}};
    for (;;) {
        if (poll(files.data(), files.size(), -1) > 0) {
            return files[1].revents != 0 ? Wakeup::tree_ended : Wakeup::signal;
        }
    }
}

int run_tree(Application& application, ApplicationInfo const& info, Config const& config,
             detail::StopGuard& guard) {
    std::string const name(info.name);
    FileDescriptor const end_event(eventfd(0, EFD_CLOEXEC));
    Result<log::Settings> const log_settings = log::read_settings(config);
    if (!log_settings) {
        return complain(info, "[log]: " + log_settings.error().message());
    }
    log::Logger logger({.ring_capacity = log_settings->ring_capacity});
    log::apply_levels(logger, *log_settings);
    detail::read_log_levels(logger);
    Node node({.log = &logger});
    detail::StopGuard::Watch const watch(guard, node);
    detail::ApplicationServices const services(node, logger, *log_settings, info);
    Applications applications(node, config, [&end_event](std::string const&, ExitReason const&) {
        std::uint64_t const one = 1;
        (void)!::write(end_event.get(), &one, sizeof one);
    });
    if (Result<> const added = detail::add_all(applications, application, name); !added) {
        return complain(info, added.error().message());
    }
    auto const started = applications.ensure_all_started(name, ApplicationType::permanent);
    if (!started) {
        return complain(info, "it did not start: " + started.error().message());
    }
    if (Result<> const told = detail::notify_service_manager("READY=1"); !told) {
        log::warning(told.error().message());
    }
    if (auto const limit = detail::pulse_limit(environment("WATCHDOG_USEC", ""))) {
        auto const pulse = node.start<detail::Pulse>(
            {},
            detail::PulseOptions{.top = applications.tree(name).value_or(SupervisorRef()), .limit = *limit});
        if (!pulse) {
            log::warning(pulse.error().message());
        }
    }
    log::info(name + " " + std::string(info.version) + " is up");
    if (wait_for_signal_or_end(guard.asked(), end_event.get()) == Wakeup::tree_ended) {
        guard.begin();
        (void)applications.stop_all();
        return complain(info, "its top supervisor gave up; see the reports above");
    }
    (void)detail::notify_service_manager("STOPPING=1");
    if (Result<> const stopped = applications.stop_all(); !stopped) {
        return complain(info, "it did not stop in order: " + stopped.error().message());
    }
    log::info(name + " has stopped in order");
    return 0;
}

} // namespace

std::vector<ApplicationSpec> Application::needs() {
    return {};
}

Duration Application::stop_limit(Config const& /*config*/) const {
    // A child's five seconds, the one of its kill, and time for the others: before a device's sinewd loses patience.
    return std::chrono::seconds(7);
}

Result<> Application::start_phase(std::string_view phase) {
    return failure(ErrorCode::unsupported, "there is no start phase '" + std::string(phase) + "'");
}

int run_application(int argc, char const* const* argv, Application& application,
                    ApplicationInfo const& info) {
    try {
        Result<Arguments> const arguments = parse_arguments({argv, static_cast<std::size_t>(argc)});
        if (!arguments) {
            return complain(info, arguments.error().message());
        }
        if (arguments->wants_help) {
            print_help(info);
            return 0;
        }
        if (arguments->wants_version) {
            (void)std::printf("%s %s\n", std::string(info.name).c_str(), std::string(info.version).c_str());
            return 0;
        }
        std::string const target = environment("SINEW_TARGET", "host");
        ProgramCrashReports const crash_reports(detail::short_name(info.name), target == "host"
                                                                                   ? CrashLog::standard_error
                                                                                   : CrashLog::kernel_log);
        Result<Config> const config = Config::load(arguments->config_directory, target, environ);
        if (!config) {
            return complain(info, config.error().message());
        }
        // A peer that left is an error of write(2); programs that are started get the default back.
        (void)std::signal(SIGPIPE, SIG_IGN);
        detail::StopGuard guard(std::string(info.name), application.stop_limit(*config));
        return run_tree(application, info, *config, guard);
    } catch (std::bad_expected_access<Error> const& access) {
        return complain(info, access.error().message());
    } catch (std::exception const& error) {
        return complain(info, error.what());
    }
}

} // namespace sinew
