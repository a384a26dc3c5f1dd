/// Implements <sinew/device/check_config.hpp>.
///
/// Invariant: a setting is refused only if a device with it could not start, could not be reached, or would do
/// something else than it says.
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/check_config.hpp>
#include <sinew/device/config.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t longest_interface_name = 15; // IFNAMSIZ without its NUL
constexpr std::size_t longest_path = 1024;
constexpr int most_restarts = 1000;
constexpr int last_partition = 128;
constexpr std::uint32_t largest_environment_blocks = 2048;

bool is_word(std::string_view text, std::string_view extra) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               extra.contains(c);
    });
}

std::string text_of(milliseconds duration) {
    auto const text = encode(duration);
    return *text.get_if<std::string>();
}

/// Keeps the first thing that is wrong.
class Checker {
public:
    explicit Checker(std::string_view source_name)
        : m_source_name(source_name) {}

    void expect(bool condition, std::string_view key, std::string const& message) {
        if (!condition && m_fault.empty()) {
            m_fault = std::string(m_source_name) + ": " + std::string(key) + ": " + message;
        }
    }
    void expect_number(std::int64_t number, std::int64_t least, std::int64_t most, std::string_view key) {
        expect(number >= least && number <= most, key,
               std::to_string(number) + " is outside " + std::to_string(least) + " to " +
                   std::to_string(most));
    }
    void expect_duration(milliseconds duration, milliseconds least, milliseconds most, std::string_view key) {
        expect(duration >= least && duration <= most, key,
               text_of(duration) + " is outside " + text_of(least) + " to " + text_of(most));
    }
    void expect_path(std::string_view path, std::string_view key) {
        auto const parts = split(path, '/');
        bool const leaves = std::ranges::find(parts, "..") != parts.end();
        expect(path.starts_with('/') && path.size() <= longest_path && !leaves &&
                   path.find('\0') == std::string_view::npos,
               key, "'" + std::string(path) + "' is no absolute path");
    }
    void expect_command(std::vector<std::string> const& command, std::string_view key) {
        expect(!command.empty() && !command.front().empty(), key, "names no program");
    }
    void expect_line(std::string_view text, std::string_view key) {
        expect(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }), key,
               "holds a control character");
    }
    [[nodiscard]] Result<> result() const {
        return m_fault.empty() ? Result<>() : failure(ErrorCode::invalid_argument, m_fault);
    }

private:
    std::string_view m_source_name;
    std::string m_fault;
};

void check_watchdog(Checker& checker, Watchdog const& watchdog) {
    if (!watchdog.path.empty()) {
        checker.expect_path(watchdog.path, "watchdog.path");
    }
    // Shorter, and a moment of load resets the machine; longer, and nobody waits for it.
    checker.expect_duration(watchdog.timeout, 5s, 1h, "watchdog.timeout");
}

void check_services(Checker& checker, std::vector<Service> const& services) {
    std::set<std::string_view> names;
    for (auto const& service : services) {
        auto const key = "services." + service.name;
        checker.expect(is_word(service.name, "-_."), "services",
                       "one has no name of letters, digits, '-', '_', '.'");
        checker.expect(names.insert(service.name).second, key, "there are two of this name");
        checker.expect_command(service.command, key + ".command");
        if (!service.ready_path.empty()) {
            checker.expect_path(service.ready_path, key + ".ready_path");
        }
    }
}

void check_application(Checker& checker, ApplicationConfig const& application) {
    if (!application.command.empty()) {
        checker.expect_command(application.command, "application.command");
    }
    checker.expect_path(application.config_directory, "application.config_directory");
    checker.expect_number(application.max_restarts, 0, most_restarts, "application.max_restarts");
    checker.expect_duration(application.restart_period, 1s, 24h, "application.restart_period");
    if (application.answer_limit != 0s) {
        checker.expect_duration(application.answer_limit, 5s, 1h, "application.answer_limit");
    }
}

void check_startup_guard(Checker& checker, StartupGuard const& guard) {
    checker.expect_duration(guard.deadline, 5s, 24h, "startup_guard.deadline");
    checker.expect_duration(guard.stable_for, 0s, 24h, "startup_guard.stable_for");
    checker.expect(guard.stable_for < guard.deadline, "startup_guard.stable_for",
                   text_of(guard.stable_for) + " isn't shorter than the deadline, " +
                       text_of(guard.deadline) + ": no update could ever be validated");
    for (auto const& condition : guard.conditions) {
        checker.expect(condition == "application" || condition == "data" || condition == "ssh",
                       "startup_guard.conditions",
                       "'" + condition + "' is none of application, data and ssh");
    }
}

void check_environment(Checker& checker, EnvironmentBlocks const& environment) {
    if (environment.block_count == 0) {
        return;
    }
    checker.expect_number(environment.block_count, 1, largest_environment_blocks, "environment.block_count");
    checker.expect(environment.block > 0, "environment.block", "lies on the partition table");
    auto const& second = environment.redundant_block;
    auto const count = std::int64_t{environment.block_count};
    checker.expect(second == 0 || (second > 0 && (second >= environment.block + count ||
                                                  environment.block >= second + count)),
                   "environment.redundant_block", "lies on the first copy");
}

} // namespace

Result<> check(InitConfig const& config, std::string_view source_name) {
    Checker checker(source_name);
    checker.expect(config.disk_signature.empty() ||
                       (config.disk_signature.size() == 8 &&
                        config.disk_signature.find_first_not_of("0123456789abcdef") == std::string::npos),
                   "disk_signature", "must be 8 lower-case hexadecimal digits");
    for (auto const& [name, number] : config.partitions) {
        checker.expect_number(number, 1, last_partition, "partitions." + name);
    }
    checker.expect(is_word(config.rootfs_type, "_"), "rootfs_type", "names no file system");
    checker.expect(is_word(config.data_type, "_"), "data_type", "names no file system");
    checker.expect_path(config.data_path, "data_path");
    checker.expect(trim(config.data_path) != "/", "data_path", "can't be the root file system");
    for (auto const* modules : {&config.early_modules, &config.modules}) {
        for (auto const& module : *modules) {
            checker.expect(is_word(module, "-_"), modules == &config.modules ? "modules" : "early_modules",
                           "'" + module + "' is no module's name (without \".ko\")");
        }
    }
    check_watchdog(checker, config.watchdog);
    checker.expect(!config.hostname_pattern.empty(), "hostname_pattern", "is empty");
    checker.expect(config.build_time >= 0, "build_time", "lies before 1970");
    checker.expect_command(config.command, "command");
    checker.expect_path(config.command.empty() ? "" : config.command.front(), "command");
    checker.expect_duration(config.shutdown_grace, 0s, 10min, "shutdown_grace");
    return checker.result();
}

Result<> check(DeviceConfig const& config, std::string_view source_name) {
    Checker checker(source_name);
    checker.expect_line(config.platform, "platform");
    checker.expect_line(config.product, "product");
    checker.expect_line(config.version, "version");
    check_services(checker, config.services);
    check_application(checker, config.application);
    check_startup_guard(checker, config.startup_guard);
    check_watchdog(checker, config.watchdog);
    auto const& interface = config.network.interface;
    checker.expect(interface.empty() ||
                       (is_word(interface, "-_.@") && interface.size() <= longest_interface_name),
                   "network.interface", "'" + interface + "' is no name of a network interface");
    checker.expect_number(config.ssh.port, 1, 65535, "ssh.port");
    checker.expect_path(config.ssh.host_key_directory, "ssh.host_key_directory");
    checker.expect_path(config.disk, "disk");
    check_environment(checker, config.environment);
    checker.expect_path(config.operations_archive, "operations_archive");
    checker.expect_path(config.key_directory, "key_directory");
    return checker.result();
}

} // namespace sinew::device
