/// Implements shutdown.hpp.
///
/// Invariant: reboot(2) is reached on every way through shut_down().
#include "shutdown.hpp"

#include "children.hpp"
#include "clock_floor.hpp"
#include "entropy.hpp"
#include "machine.hpp"
#include "mounts.hpp"
#include "stage_two.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/exit_status.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>

#include <fcntl.h>
#include <linux/reboot.h>
#include <poll.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace sinew::init {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds longest_step = seconds(1);
constexpr milliseconds terminate_grace = seconds(1);
constexpr milliseconds kill_grace = seconds(2);
constexpr milliseconds give_up_delay = seconds(5);
constexpr std::size_t max_reboot_parameter_bytes = 255;

/// Reaps for at most `limit`, until `done` says so. Pets the watchdog meanwhile: `limit` is the bound.
template<typename Done>
bool reap_until(Machine& machine, milliseconds limit, pid_t command, Done done) {
    SystemClock const clock;
    auto const deadline = clock.now() + limit;
    while (true) {
        bool const command_ended = reap(command).has_value();
        if (done(command_ended)) {
            return true;
        }
        auto const left = std::chrono::ceil<milliseconds>(deadline - clock.now());
        if (left <= milliseconds::zero()) {
            return false;
        }
        machine.pet();
        (void)next_signal(std::min(left, longest_step));
    }
}

void stop_command(Machine& machine, pid_t command) {
    if (command == 0) {
        return;
    }
    ::kill(command, SIGTERM);
    auto const ended = [](bool command_ended) { return command_ended; };
    if (!reap_until(machine, machine.config.shutdown_grace, command, ended)) {
        machine.log.warning("the command didn't end in its time; killing it");
    }
}

void stop_everyone(Machine& machine) {
    auto const nobody_left = [](bool) { return has_no_children(); };
    ::kill(-1, SIGTERM);
    if (!reap_until(machine, terminate_grace, 0, nobody_left)) {
        ::kill(-1, SIGKILL);
        (void)reap_until(machine, kill_grace, 0, nobody_left);
    }
}

void save_state(Machine& machine, StatePaths const& paths, device::EndRecord const& record) {
    if (::access(paths.folder.c_str(), W_OK) != 0) {
        return; // No data partition: said at boot.
    }
    auto const line = device::format_end_record(record) + "\n";
    for (auto const& result : {save_seed(paths.seed()), save_time(paths.time()),
                               write_file_atomically(paths.end(), as_bytes(line))}) {
        if (!result) {
            machine.log.warning(result.error().message());
        }
    }
}

/// Into the kernel's log, which a crash store with max_reason=4 keeps over the reboot, and where there is one
/// into its store for user messages.
void leave_record(Machine& machine, device::EndRecord const& record) {
    auto const line = device::format_end_record(record);
    machine.log.notice(line);
    if (auto const store = open_file("/dev/pmsg0", O_WRONLY)) {
        std::ignore = write_all(*store, as_bytes(line + "\n"));
    }
}

/// What a bootloader wants to be told with the reboot, e.g. "0 tryboot" on a Raspberry Pi; empty: nothing.
std::string take_reboot_parameter() {
    auto text = read_text_file("/run/reboot-param", max_reboot_parameter_bytes);
    if (!text) {
        return {};
    }
    return text->substr(0, text->find('\n'));
}

int reboot_command(PowerAction action) {
    switch (action) {
    case PowerAction::poweroff:
        return RB_POWER_OFF;
    case PowerAction::halt:
        return static_cast<int>(RB_HALT_SYSTEM);
    case PowerAction::reboot:
        break;
    }
    return RB_AUTOBOOT;
}

[[noreturn]] void enter_power_state(PowerAction action, std::string const& reboot_parameter) {
    ::sync();
    if (action == PowerAction::reboot && !reboot_parameter.empty()) {
        (void)::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART2,
                        reboot_parameter.c_str());
    }
    (void)::reboot(reboot_command(action));
    while (true) { // Only without the right to reboot; the watchdog ends it.
        ::pause();
    }
}

Ending requested_ending(PowerAction action, pid_t command) {
    Ending ending{.action = action, .record = {}, .command = command};
    if (action != PowerAction::reboot) {
        ending.record = {device::BootReason::power_on, "it was switched off on request"};
        return ending;
    }
    auto const left_behind = read_text_file(device::end_record_path, 4096);
    auto const record = left_behind ? device::find_end_record(*left_behind) : std::nullopt;
    ending.record = record.value_or(device::EndRecord{});
    return ending;
}

std::optional<PowerAction> configured_action(device::OnUnexpectedEnd configured) {
    switch (configured) {
    case device::OnUnexpectedEnd::reboot:
        return PowerAction::reboot;
    case device::OnUnexpectedEnd::poweroff:
        return PowerAction::poweroff;
    case device::OnUnexpectedEnd::hang:
        break;
    }
    return std::nullopt;
}

} // namespace

std::optional<PowerAction> action_of_signal(int signal) {
    switch (signal) {
    case SIGTERM:
    case SIGINT:
        return PowerAction::reboot;
    case SIGUSR1:
    case SIGPWR:
        return PowerAction::halt;
    case SIGUSR2:
        return PowerAction::poweroff;
    default:
        return std::nullopt;
    }
}

Ending wait_for_ending(Machine& machine, pid_t command) {
    while (true) {
        if (auto const status = reap(command)) {
            return unexpected_ending(machine, machine.config.command.front() + " " + to_string(*status));
        }
        beat(machine);
        auto const signal = next_signal(device::beat_interval);
        if (auto const action = signal ? action_of_signal(*signal) : std::nullopt) {
            return requested_ending(*action, command);
        }
    }
}

Ending unexpected_ending(Machine& machine, std::string_view detail) {
    machine.log.critical(detail);
    if (auto const action = configured_action(machine.config.on_unexpected_end)) {
        return {*action, {device::BootReason::application_failed, std::string(detail)}, 0};
    }
    machine.log.critical("hanging, as configured; send SIGTERM to process 1 to reboot");
    if (machine.watchdog) {
        if (auto stopped = machine.watchdog->disarm(); !stopped) {
            machine.log.warning(stopped.error().message());
        }
    }
    while (true) {
        (void)reap(0);
        auto const signal = next_signal(std::chrono::hours(1));
        if (auto const action = signal ? action_of_signal(*signal) : std::nullopt) {
            return requested_ending(*action, 0);
        }
    }
}

void shut_down(Machine& machine, StatePaths const& paths, Ending const& ending) {
    machine.log.notice("shutting down");
    machine.pet();
    stop_command(machine, ending.command);
    stop_everyone(machine);
    machine.pet();
    save_state(machine, paths, ending.record);
    auto const parameter = take_reboot_parameter();
    leave_record(machine, ending.record);
    ::sync();
    unmount_all(machine.log);
    enter_power_state(ending.action, parameter);
}

void give_up(Machine& machine, std::string_view message) {
    machine.log.critical(message);
    machine.log.critical("can't go on; rebooting in 5 s");
    leave_record(machine, {device::BootReason::kernel_panic, std::string(message)});
    (void)::poll(nullptr, 0, static_cast<int>(give_up_delay.count()));
    enter_power_state(PowerAction::reboot, {});
}

} // namespace sinew::init
