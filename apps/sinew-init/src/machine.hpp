/// What both stages of PID 1 carry along, wired together by main().
///
/// Threading: one thread.
#pragma once

#include "kernel_command_line.hpp"
#include "log.hpp"

#include <sinew/base/file_descriptor.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/hardware_watchdog.hpp>

#include <optional>
#include <string>
#include <tuple>

namespace sinew::init {

struct Machine {
    Log log;
    std::string command_line_text;
    KernelCommandLine command_line;
    device::InitConfig config;
    std::optional<device::HardwareWatchdog> watchdog;
    /// The command sees by it that PID 1 lives.
    FileDescriptor beats;
    /// The disk's partition table is damaged; the kernel has the partitions from the configuration.
    bool has_replaced_partitions = false;

    /// Restarts the watchdog's countdown, if there is one.
    void pet() {
        if (watchdog) {
            std::ignore =
                watchdog->pet(); // When it fails the machine resets, which is what a watchdog is for.
        }
    }
};

/// Says that PID 1 lives. Call it every device::beat_interval.
void beat(Machine& machine);

/// Reads /proc/cmdline.
void read_command_line(Machine& machine);

/// Opens the watchdog, unless it is open already. Without one a message is logged once `complain`.
enum class MissingWatchdog : std::uint8_t { is_fine_yet, is_a_warning };
void open_watchdog(Machine& machine, MissingWatchdog missing);

/// Waits for the disk and links it as /dev/rootdisk0. Error timed_out, invalid_argument.
[[nodiscard]] Result<> find_root_disk(Machine& machine);

/// The device of the partition called `name` in the configuration, e.g. "/dev/rootdisk0p5". Error not_found.
[[nodiscard]] Result<std::string> partition_device(Machine const& machine, std::string const& name);

} // namespace sinew::init
