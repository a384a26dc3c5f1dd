/// Implements the steps that both stages share.
#include "machine.hpp"

#include "device_events.hpp"
#include "disk.hpp"
#include "kernel_command_line.hpp"
#include "mbr.hpp"
#include "partition_repair.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/hardware_watchdog.hpp>

#include <fcntl.h>
#include <sys/eventfd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

// USB and slow cards take a while to be there.
constexpr Duration disk_limit = std::chrono::seconds(30);
// The kernel reads the table when it finds the disk, before it tells anybody.
constexpr Duration partitions_limit = std::chrono::seconds(3);

} // namespace

void beat(Machine& machine) {
    if (machine.beats) {
        (void)!::eventfd_write(machine.beats.get(), 1); // It is full after 10^19 beats.
    }
}

void read_command_line(Machine& machine) {
    auto text = read_text_file("/proc/cmdline", 64u << 10);
    if (!text) {
        machine.log.error(text.error().message());
        return;
    }
    machine.command_line_text = *std::move(text);
    machine.command_line = parse_kernel_command_line(machine.command_line_text);
}

void open_watchdog(Machine& machine, MissingWatchdog missing) {
    auto const& wanted = machine.config.watchdog;
    if (machine.watchdog || wanted.path.empty()) {
        return;
    }
    auto opened = device::HardwareWatchdog::open(wanted.path, wanted.timeout);
    if (opened) {
        machine.watchdog = std::move(*opened);
        machine.log.info("watchdog armed: " + std::to_string(machine.watchdog->timeout().count()) + " s");
    } else if (missing == MissingWatchdog::is_a_warning) {
        machine.log.warning("no watchdog, so a hang won't end by itself: " + opened.error().message());
    }
}

Result<> find_root_disk(Machine& machine) {
    TRY(auto const signature, parse_signature_text(machine.config.disk_signature));
    std::vector<int> numbers;
    numbers.reserve(machine.config.partitions.size());
    for (auto const& [name, number] : machine.config.partitions) {
        numbers.push_back(number);
    }
    KernelDeviceEvents events;
    SystemClock const clock;
    TRY(auto disk, wait_for_disk({}, signature, {}, events, clock, disk_limit));
    auto const with_partitions = wait_for_disk({}, signature, numbers, events, clock, partitions_limit);
    if (!with_partitions || !are_partitions_right({}, *with_partitions, machine.config)) {
        machine.log.error("the partition table of " + disk.name +
                          " is damaged; taking the partitions that this firmware knows");
        TRY(auto file, open_file("/dev/" + disk.name, O_RDWR));
        BlockDevicePartitions kernel(std::move(file));
        TRY_OK(replace_partitions({}, with_partitions ? *with_partitions : disk, machine.config, kernel));
        machine.has_replaced_partitions = true;
    }
    TRY(disk, wait_for_disk({}, signature, numbers, events, clock, partitions_limit));
    if (disk.ambiguous) {
        machine.log.warning("another disk carries the same signature as " + disk.name + "; using " +
                            disk.name);
    }
    return link_disk("/dev", disk);
}

Result<std::string> partition_device(Machine const& machine, std::string const& name) {
    auto const found = machine.config.partitions.find(name);
    if (found == machine.config.partitions.end()) {
        return failure(ErrorCode::not_found, "the configuration names no partition '" + name + "'");
    }
    return "/dev/rootdisk0p" + std::to_string(found->second);
}

} // namespace sinew::init
