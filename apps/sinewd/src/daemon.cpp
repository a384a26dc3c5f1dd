/// Implements run_daemon().
///
/// Invariant: SIGTERM and SIGINT are blocked before the first thread starts, so that only the main thread
/// takes them.
#include "daemon.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device.hpp>
#include <sinew/otp.hpp>

#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

namespace sinew::daemon {
namespace {

using namespace device;

constexpr std::chrono::minutes stop_limit{2};
constexpr std::chrono::seconds operation_limit{60};
constexpr std::chrono::seconds last_lines_limit{5};
// Waiting for the console, or within a second; an application's last words are among them.
constexpr std::size_t most_lines = 4096;
// Sent by the process that watches the tree; nobody else uses it here.
constexpr int tree_ended_signal = SIGUSR1;

/// Tells the main thread that the tree has ended by itself.
class TreeWatcher : public Server<TreeWatcher> {
public:
    explicit TreeWatcher(Pid tree)
        : m_tree(tree) {}
    void init() { monitor(m_tree); }
    void handle_info(Down const& down) {
        log::error("the supervision tree has ended: " + down.reason.to_string());
        (void)::kill(::getpid(), tree_ended_signal);
    }

private:
    Pid m_tree;
};

/// What PID 1 found out; on a machine that it didn't start, only what is so everywhere.
BootReport load_boot_report() {
    constexpr std::size_t limit_bytes = 64u << 10;
    auto const text = read_text_file(boot_report_path, limit_bytes).value_or("");
    if (auto const report = from_toml<BootReport>(text, boot_report_path); !report) {
        log::error(report.error().message());
    }
    return understand_boot_report(text, read_text_file("/proc/cmdline", limit_bytes).value_or(""));
}

bool was_started_by_sinew_init() {
    return ::access(std::string(boot_report_path).c_str(), F_OK) == 0;
}

std::int64_t uptime_s() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/// The descriptor that PID 1 left open for this program, or nothing.
std::optional<HardwareWatchdog> inherited_watchdog() {
    auto const* text = std::getenv(watchdog_environment); // NOLINT(concurrency-mt-unsafe): no thread runs yet
    if (text == nullptr) {
        return std::nullopt;
    }
    int const fd = parse_number<int>(text).value_or(-1);
    (void)::unsetenv(watchdog_environment); // NOLINT(concurrency-mt-unsafe): the same; children don't have it
    if (fd <= STDERR_FILENO || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return std::nullopt;
    }
    auto adopted = HardwareWatchdog::adopt(FileDescriptor(fd));
    return adopted ? std::optional(*std::move(adopted)) : std::nullopt;
}

/// Null when there is none.
std::shared_ptr<HardwareWatchdog> take_watchdog(Watchdog const& wanted) {
    if (auto inherited = inherited_watchdog()) {
        return std::make_shared<HardwareWatchdog>(*std::move(inherited));
    }
    if (wanted.path.empty() || !was_started_by_sinew_init()) {
        return nullptr; // By hand, on a machine that isn't a device: don't let it reset that.
    }
    auto opened = HardwareWatchdog::open(wanted.path, wanted.timeout);
    if (!opened) {
        log::warning("no watchdog: " + opened.error().message());
        return nullptr;
    }
    return std::make_shared<HardwareWatchdog>(*std::move(opened));
}

Result<> run_operation(DeviceConfig const& config, std::string const& task) {
    TRY_OK(run_checked(
        {"fwup", "-a", "-q", "-U", "-d", config.disk, "-i", config.operations_archive, "-t", task},
        {.timeout = operation_limit}));
    return {};
}

void ask_for_reboot(BootReason reason, std::string const& why) {
    if (!was_started_by_sinew_init()) {
        log::warning("not started by sinew-init: not rebooting");
        return;
    }
    auto const record = format_end_record({.reason = reason, .detail = why});
    if (auto kept = write_file_atomically(end_record_path, as_bytes(record + "\n")); !kept) {
        log::warning(kept.error().message());
    }
    (void)::kill(1, SIGTERM);
}

/// Without PID 1, which hasn't done it. Nothing is unmounted; what was written is on the medium.
void force_reboot() {
    if (was_started_by_sinew_init()) {
        ::sync();
        (void)::reboot(RB_AUTOBOOT);
    }
}

/// PID 1 counts up an event counter for as long as it lives.
std::function<bool()> inherited_beats() {
    auto const* text = std::getenv(beat_environment); // NOLINT(concurrency-mt-unsafe): no thread runs yet
    int const fd = text == nullptr ? -1 : parse_number<int>(text).value_or(-1);
    (void)::unsetenv(beat_environment); // NOLINT(concurrency-mt-unsafe): the same; children don't have it
    if (fd <= STDERR_FILENO || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return {};
    }
    auto const beats = std::make_shared<FileDescriptor>(fd);
    return [beats] {
        std::uint64_t count = 0; // Non-blocking: PID 1 has made it so.
        return ::read(beats->get(), &count, sizeof count) == sizeof count;
    };
}

/// The counters, and what lies beside them: a device whose boot state, environment or partition table is damaged
/// starts, and mends them from what runs.
Result<> keep_boot_state(DeviceConfig const& config, BootReport const& boot, BootNote const& note) {
    TRY_OK(keep_boot_counters(config, boot, note, update_lock_path));
    if (!note.validated) {
        return {};
    }
    TRY(bool const was_restored, restore_environment(config, boot));
    if (was_restored) {
        log::warning("both copies of the U-Boot environment were damaged; written anew from what runs");
    }
    TRY(bool const is_whole, is_boot_state_whole(config));
    if (!is_whole) {
        log::warning("the boot state is damaged; writing it anew");
        TRY_OK(run_operation(config, "validate"));
    }
    if (boot.has_damaged_table) {
        log::warning("the partition table is damaged; writing it anew");
        return run_operation(config, "restore-table");
    }
    return {};
}

DeviceMachine describe_machine(DeviceConfig const& config) {
    DeviceMachine machine;
    machine.boot = load_boot_report();
    if (auto const installed = installed_firmware(config, machine.boot.slot)) {
        machine.uuid = installed->uuid;
    } else {
        log::warning("the running firmware's UUID is unknown: " + installed.error().message());
    }
    machine.pid_1_has_beaten = inherited_beats();
    if (auto const watchdog = take_watchdog(config.watchdog)) {
        machine.watchdog_timeout = watchdog->timeout();
        machine.pet = [watchdog] { return watchdog->pet(); };
    }
    machine.validate = [config] { return run_operation(config, "validate"); };
    machine.reboot = [](std::string const& why) { ask_for_reboot(BootReason::application_failed, why); };
    machine.force_reboot = force_reboot;
    machine.end_careful_start = [] {
        ask_for_reboot(BootReason::reboot_requested, "this start had left /data alone");
    };
    if (was_started_by_sinew_init()) {
        machine.keep_boot_counters = [config, boot = machine.boot](BootNote const& note) {
            return keep_boot_state(config, boot, note);
        };
    }
    machine.uptime_s = uptime_s;
    return machine;
}

/// A broken file must not lock anyone out: with the defaults there is still SSH.
Result<DeviceConfig> load_config_or_defaults(std::filesystem::path const& path) {
    auto config = load_device_config(path);
    if (!config && was_started_by_sinew_init() && !load_boot_report().trial) {
        log::error("going on with the defaults: " + config.error().message());
        return DeviceConfig{};
    }
    return config;
}

/// Writes what the node logs to standard error, in a process of its own: a slow console holds up nobody.
class ConsoleLog {
public:
    ConsoleLog(Node& node, log::Logger& logger)
        : m_tree(node.start(supervise(Strategy::one_for_one, {handler(logger)}))) {
        if (!m_tree) {
            log::warning("a slow console will hold up this program: " + m_tree.error().message());
        }
    }
    ConsoleLog(ConsoleLog const&) = delete;
    ConsoleLog& operator=(ConsoleLog const&) = delete;
    ConsoleLog(ConsoleLog&&) = delete;
    ConsoleLog& operator=(ConsoleLog&&) = delete;
    ~ConsoleLog() {
        if (m_tree) {
            std::ignore = stop_and_wait(m_tree->pid(), ExitReason::shutdown(), last_lines_limit);
        }
    }

private:
    static ChildSpec handler(log::Logger& logger) {
        auto const write = [](log::Event const& event) { log::standard_error().write(event); };
        return child<log::Handler>({.logger = &logger,
                                    .output = log::function_output(write),
                                    .limits = {.queue = most_lines, .burst = most_lines}},
                                   {.id = "console"});
    }
    Result<SupervisorRef> m_tree;
};

int wait_for_end(Node& node, SupervisorRef tree, sigset_t const& signals) {
    auto const watcher = node.start<TreeWatcher>({}, tree.pid());
    if (!watcher) {
        log::error(watcher.error().message());
    }
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal == tree_ended_signal) {
        return 1;
    }
    log::notice("stopping");
    if (watcher) {
        std::ignore = stop_and_wait(watcher->pid());
    }
    if (auto stopped = stop_and_wait(tree.pid(), ExitReason::shutdown(), stop_limit); !stopped) {
        log::warning(stopped.error().message());
    }
    return 0;
}

} // namespace

int run_daemon(std::filesystem::path const& config_path) {
    ProgramCrashReports const crash_reports("sinewd", was_started_by_sinew_init() ? CrashLog::kernel_log
                                                                                  : CrashLog::standard_error);
    sigset_t signals;
    ::sigemptyset(&signals);
    for (int const signal : {SIGTERM, SIGINT, tree_ended_signal}) {
        ::sigaddset(&signals, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::ignore = std::signal(SIGPIPE, SIG_IGN); // A peer that left is an error of write(2).
    std::error_code error;
    for (auto const* folder : {"/run/sinew", "/run/log"}) {
        std::filesystem::create_directories(folder, error); // What needs them says so itself.
    }
    auto const config = load_config_or_defaults(config_path);
    if (!config) {
        log::error(config.error().message());
        return 1;
    }
    auto const machine = describe_machine(*config);
    log::Logger logger({.ring_capacity = 0});
    Node node({.log = &logger});
    ConsoleLog const console(node, logger);
    auto const tree = node.start(device_tree(*config, machine));
    if (!tree) {
        log::error(tree.error().message());
        return 1;
    }
    return wait_for_end(node, *tree, signals);
}

} // namespace sinew::daemon
