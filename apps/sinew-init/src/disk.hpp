/// Finds the disk this firmware lives on, whatever the kernel called it, and gives it the name
/// /dev/rootdisk0.
///
/// Invariant: a disk is told by the signature in its boot record only; nothing is ever written to it here.
/// Threading: one thread; blocks up to the deadline.
#pragma once

#include "device_events.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinew::init {

/// Where the kernel shows block devices; other folders in tests.
struct BlockDevicePaths {
    std::filesystem::path sys_block = "/sys/block";
    std::filesystem::path dev = "/dev";
};

struct Disk {
    /// The kernel's name, e.g. "vda" or "mmcblk0".
    std::string name;
    /// The kernel's name of each partition by its number.
    std::map<int, std::string> partitions;
    /// Another disk carries the same signature: a copy of this one.
    bool ambiguous = false;
};

/// The disk with `signature` among those that are there now, the first in the order of their names.
[[nodiscard]] std::optional<Disk> find_disk(BlockDevicePaths const& paths, std::uint32_t signature);

/// Waits until the disk and all partitions in `numbers` are there. Error timed_out: naming what is missing
/// and which disks there are.
[[nodiscard]] Result<Disk> wait_for_disk(BlockDevicePaths const& paths, std::uint32_t signature,
                                         std::vector<int> const& numbers, DeviceEvents& events,
                                         Clock const& clock, Duration at_most);

/// Makes rootdisk0 and rootdisk0pN in `dev`, symbolic links to the kernel's names. Replaces older ones.
[[nodiscard]] Result<> link_disk(std::filesystem::path const& dev, Disk const& disk);

} // namespace sinew::init
