/// The supervision tree of sinewd: everything a device runs, in the order of its start.
///
///     heart                        pets the hardware watchdog
///     status                       writes /run/sinew/status.json
///     trial guard                  validates a firmware on trial, or goes back
///     services                     each an OsProcess with backoff
///     network, ssh                 OsProcesses with backoff: they never give up
///     application tree (rest_for_one)
///         monitor                  knows how the application is doing
///         application (transient)  gives up after max_restarts in restart_period, and then stays down
///             the application's OsProcess
///
/// Invariant: the application's crashes never reach its siblings.
/// Threading: builds a value.
#pragma once

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
    std::function<Result<>()> validate = {};
    std::function<void(std::string const& why)> reboot = {};
    std::function<std::int64_t()> uptime_s = {};
    std::filesystem::path status_path = sinew::device::status_path;
};

[[nodiscard]] Supervisor device_tree(DeviceConfig const& config, DeviceMachine const& machine);

} // namespace sinew::device
