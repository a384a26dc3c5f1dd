/// From the command's end, or a request to stop, to reboot(2).
///
/// Invariant: every wait is bounded; the hardware watchdog runs on, so that a hang in here ends too.
/// Threading: one thread.
#pragma once

#include "machine.hpp"

#include <sinew/device/boot_report.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::init {

struct StatePaths;

enum class PowerAction : std::uint8_t { reboot, poweroff, halt };

/// What a signal asks PID 1 to do: SIGTERM and SIGINT (Ctrl-Alt-Del) reboot, SIGUSR1 and SIGPWR halt, SIGUSR2
/// powers off; nothing for any other.
[[nodiscard]] std::optional<PowerAction> action_of_signal(int signal);

struct Ending {
    PowerAction action = PowerAction::reboot;
    device::EndRecord record;
    /// The command, when it still runs; 0 when it has ended.
    pid_t command = 0;
};

/// Reaps children until the command ends or a signal asks to stop.
[[nodiscard]] Ending wait_for_ending(Machine& machine, pid_t command);

/// What follows when the command is gone although nobody asked: as configured. When that is to hang, the
/// watchdog is stopped, so that the machine can be looked at, and a signal is waited for.
[[nodiscard]] Ending unexpected_ending(Machine& machine, std::string_view detail);

/// Stops the command, then everyone else; saves seed, time and record; unmounts; reboots.
[[noreturn]] void shut_down(Machine& machine, StatePaths const& paths, Ending const& ending);

/// Reboots after five seconds in which the message can be read; for failures nothing can be done about.
[[noreturn]] void give_up(Machine& machine, std::string_view message);

} // namespace sinew::init
