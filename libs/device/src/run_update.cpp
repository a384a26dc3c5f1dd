/// Implements run_update(): sinew-update from its checks to the reboot.
///
/// Invariant: the line "installed" is printed only when everything is on the medium.
/// Threading: one thread; forks a helper, so no threads may run.
#include <sinew/base/bytes.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/update.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/reboot.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

namespace sinew::device {
namespace {

constexpr std::size_t max_file_bytes = 64u << 10;
constexpr int progress_step = 10;
// Long enough for the caller to read the last line and close its connection.
constexpr std::chrono::milliseconds reboot_delay = std::chrono::seconds(1);
constexpr std::chrono::milliseconds reboot_interval = std::chrono::seconds(5);
constexpr int most_reboot_requests = 12;

std::string text_of(std::filesystem::path const& path) {
    return read_text_file(path, max_file_bytes).value_or("");
}

void show_progress(int percent) {
    static int shown = 0;
    if (percent >= shown + progress_step) {
        shown = percent - (percent % progress_step);
        std::printf("sinew-update: %d %%\n", shown);
        std::fflush(stdout);
    }
}

std::string name_of(Result<InstalledFirmware> const& installed) {
    if (!installed || installed->version.empty()) {
        return "an update";
    }
    return installed->version + " (" + installed->uuid + ")";
}

/// A helper that outlives this program asks PID 1; it keeps the lock until PID 1 ends it, so that no second
/// update gets in between.
Result<> reboot_soon(std::string const& what) {
    auto const record = format_end_record({.reason = BootReason::update, .detail = "installed " + what});
    TRY_OK(write_file_atomically(end_record_path, as_bytes(record + "\n")));
    pid_t const helper = ::fork();
    if (helper < 0) {
        return std::unexpected(error_from_errno(errno, "the update is installed, but can't reboot"));
    }
    if (helper > 0) {
        return {};
    }
    (void)::setsid();
    int const null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        (void)::dup2(null, fd); // Else the connection would stay open.
    }
    (void)::poll(nullptr, 0, static_cast<int>(reboot_delay.count()));
    for (int asked = 0; asked < most_reboot_requests; ++asked) {
        (void)::kill(1, SIGTERM);
        (void)::poll(nullptr, 0, static_cast<int>(reboot_interval.count()));
    }
    ::sync();
    (void)::reboot(RB_AUTOBOOT); // PID 1 hasn't done it.
    while (true) {
        ::pause();
    }
}

struct Turn {
    UpdateLock lock;
    std::string running_slot;
};

/// Nobody else updates this device until what it returns is gone.
Result<Turn> take_turn() {
    auto const boot = understand_boot_report(text_of(boot_report_path), text_of("/proc/cmdline"));
    if (boot.slot.empty()) {
        return failure(ErrorCode::unsupported,
                       "this isn't a device started by sinew-init; update it with `sinew burn`");
    }
    TRY(auto lock, UpdateLock::acquire());
    TRY_OK(check_updatable(text_of(status_path), boot));
    return Turn{.lock = std::move(lock), .running_slot = boot.slot};
}

Result<> update(DeviceConfig const& config) {
    TRY(auto const turn, take_turn());
    TRY(auto const command, fwup_command(config, "-", "upgrade"));
    TRY(auto const outcome, run_fwup(command, {.descriptor = STDIN_FILENO}, show_progress));
    if (outcome.status != 0) {
        return failure(ErrorCode::invalid_argument,
                       outcome.last_line.empty() ? "fwup ended with status " + std::to_string(outcome.status)
                                                 : outcome.last_line);
    }
    auto const what = name_of(installed_firmware(config, turn.running_slot == "a" ? "b" : "a"));
    TRY_OK(reboot_soon(what));
    std::printf("sinew-update: installed %s; rebooting\n", what.c_str());
    return {};
}

} // namespace

int check_update() {
    if (auto const turn = take_turn(); !turn) {
        std::fprintf(stderr, "sinew-update: %s\n", turn.error().message().c_str());
        return 1;
    }
    std::puts("sinew-update: ready");
    return 0;
}

int run_update(DeviceConfig const& config) {
    // A caller that hangs up must not leave an installed update without its reboot.
    (void)std::signal(SIGHUP, SIG_IGN);
    (void)std::signal(SIGPIPE, SIG_IGN);
    if (auto result = update(config); !result) {
        std::fprintf(stderr, "sinew-update: %s\n", result.error().message().c_str());
        return 1;
    }
    return 0;
}

} // namespace sinew::device
