/// The supervision tree of sinewd: everything a device runs, in the order of its start.
///
///     heart                        pets the hardware watchdog
///     status                       writes /run/sinew/status.json
///     trial guard                  validates a firmware on trial, or goes back
///     boot guard                   takes back what the bootloader has counted
///     services                     each an OsProcess with backoff
///     network, ssh                 OsProcesses with backoff: they never give up
///     application tree (rest_for_one)
///         monitor                  knows how the application is doing
///         application (transient)  gives up after max_restarts in restart_period, and then stays down
///             the application's OsProcess
///     or, after too many resets    the application is held back, and the platform stays alone
///
/// Invariant: the application's crashes never reach its siblings.
/// Threading: builds a value.
#pragma once

#include <sinew/device/boot_guard.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/status.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace sinew::device {

/// What the tree needs of the machine; replaced in tests.
struct DeviceMachine {
    BootReport boot = {};
    std::string uuid = {};
    /// Restarts the hardware watchdog; empty: there is none.
    std::function<Result<>()> pet = {};
    std::chrono::milliseconds watchdog_timeout{};
    /// Whether PID 1 has beaten since this was last asked; empty: it isn't watched.
    std::function<bool()> pid_1_has_beaten = {};
    std::function<Result<>()> validate = {};
    std::function<void(std::string const& why)> reboot = {};
    std::function<void()> force_reboot = {};
    /// Tells the bootloader of this start; empty: it doesn't count them.
    std::function<Result<>(BootNote const&)> keep_boot_counters = {};
    /// Reboots in order, as a start that left /data alone has done its work.
    std::function<void()> end_careful_start = {};
    std::function<std::int64_t()> uptime_s = {};
    std::filesystem::path status_path = sinew::device::status_path;
};

[[nodiscard]] Supervisor device_tree(DeviceConfig const& config, DeviceMachine const& machine);

} // namespace sinew::device
