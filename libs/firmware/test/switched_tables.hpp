/// A device with two slots whose partition table says which one starts, as MBR or as GPT; or whose U-Boot
/// environment says so, on a disk with a GPT.
///
/// Threading: one thread.
#pragma once

#include "power_cut_disk.hpp"

#include <sinew/base/bytes.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sinew::firmware::test {

/// What decides, and when a task changes it.
enum class SwitchedBy : std::uint8_t {
    mbr,
    mbr_at_first, ///< In on-init: the table must wait for the payload all the same.
    gpt,
    gpt_at_first,
    environment_on_gpt, ///< The table is written by each upgrade, too, with the same content.
};

namespace switched {
inline constexpr std::uint64_t environment_block = 40;
inline constexpr std::uint64_t environment_copy_block = 44;
inline constexpr std::uint64_t environment_blocks = 4;
inline constexpr std::uint64_t boot_a = 256;
inline constexpr std::uint64_t boot_b = 512;
inline constexpr std::uint64_t boot_blocks = 128;
inline constexpr std::uint64_t rootfs_a = 768;
inline constexpr std::uint64_t rootfs_b = 1152;
inline constexpr std::uint64_t rootfs_blocks = 360;
/// The GPT at the end lies across the border of two segments of the output cache.
inline constexpr std::uint64_t disk_blocks = 1550;
} // namespace switched

/// Tasks complete, upgrade, validate and revert. Made when it is first asked for.
[[nodiscard]] Bytes const& switched_archive(SwitchedBy by, int version);
/// The same, with patches from an older version.
[[nodiscard]] Bytes switched_delta(SwitchedBy by, int from, int to);

struct StartedSlot {
    /// '?': nothing would start.
    char slot = '?';
    bool is_validated = false;
    /// 0: kernel and root file system are damaged, or don't belong together.
    int version = 0;
    bool operator==(StartedSlot const&) const = default;
};

/// What a bootloader would start that shares no code with the library.
[[nodiscard]] StartedSlot started_slot(PowerCutDisk const& disk, SwitchedBy by);

/// What GRUB would start on each of the disks, in QEMU: slot and version only. Which partitions the U-Boot
/// environment chooses is fw_printenv's word.
[[nodiscard]] std::vector<StartedSlot> slots_started_by_grub(std::vector<Bytes> const& disks, SwitchedBy by);

} // namespace sinew::firmware::test
