/// The disks of this machine, and whether one may be overwritten.
///
/// Invariant: a disk that holds anything mounted, a swap area or part of the running system is never
/// burnable. Free functions; each call reads the kernel's files anew.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sinew::tooling {

/// Where the kernel tells; tests point it at a folder of their own.
struct KernelFiles {
    std::filesystem::path sysfs = "/sys";
    std::filesystem::path procfs = "/proc";
    std::filesystem::path devices = "/dev";
};

struct DiskUse {
    /// Where something of the disk is mounted, or "swap".
    std::string place;
    /// The partition, or the layer above it (LVM, encryption).
    std::string device;
};

struct Disk {
    /// "sdb", and "/dev/sdb".
    std::string name;
    std::filesystem::path path;
    std::uint64_t size_bytes = 0;
    /// Maker and model, or empty.
    std::string model;
    /// A card, a USB stick, or a drive that says its medium can be taken out.
    bool removable = false;
    bool read_only = false;
    std::vector<DiskUse> uses;
    /// Something of it is mounted at /, /boot, /usr, /var or /home, or is swap.
    bool holds_system = false;
};

/// All disks (no loop, RAM or optical ones), sorted by name. A card reader without a card is left out.
[[nodiscard]] std::vector<Disk> list_disks(KernelFiles const& files = {});

/// The removable disks that check_burnable() lets pass.
[[nodiscard]] std::vector<Disk> burn_candidates(std::vector<Disk> const& disks);

/// Errors denied: it holds the running system, is mounted, or can't be written; each says what to do.
[[nodiscard]] Result<> check_burnable(Disk const& disk);

/// "/dev/sdb  31.9 GB  SanDisk Ultra".
[[nodiscard]] std::string describe(Disk const& disk);

} // namespace sinew::tooling
