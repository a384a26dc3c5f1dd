/// A device with two slots, as the x86_64 system lays it out, in small: its update scripts, and a reader that
/// decides what would boot, as the bootloader's script does.
///
/// Threading: one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <string>

namespace sinew::firmware::test {

namespace layout {
inline constexpr std::uint64_t state_block = 2032;
inline constexpr std::uint64_t state_copy_block = 2033;
inline constexpr std::uint64_t tried_block = 2034;
inline constexpr std::uint64_t environment_block = 2048;
inline constexpr std::uint64_t redundant_environment_block = 2064;
inline constexpr std::uint64_t boot_a = 2304;
inline constexpr std::uint64_t boot_b = 2560;
inline constexpr std::uint64_t boot_blocks = 256;
inline constexpr std::uint64_t extended = 2816;
inline constexpr std::uint64_t rootfs_a = 3072;
inline constexpr std::uint64_t rootfs_b = 3840;
inline constexpr std::uint64_t rootfs_blocks = 768;
inline constexpr std::uint64_t data = 4608;
inline constexpr std::uint64_t disk_blocks = 4864;
} // namespace layout

/// Kernel and root file system of a version; another version has other bytes everywhere.
[[nodiscard]] Bytes kernel_of(int version);
[[nodiscard]] Bytes rootfs_of(int version);

/// The archive of firmware `version` (tasks complete and upgrade), and the one of operations (validate,
/// revert). Made when they are first asked for.
[[nodiscard]] Bytes const& firmware_archive(int version);
[[nodiscard]] Bytes const& operations_archive();

/// The archive that updates `from` to `to` by patches.
[[nodiscard]] Bytes delta_archive(int from, int to);

struct Booted {
    char slot = '?';
    bool trial = false;
    bool rolled_back = false;
    /// The version of all parts of the slot; 0 if they don't belong together or one is broken.
    int version = 0;
};

/// What the bootloader would start from this disk.
[[nodiscard]] Booted boot(BlockDevice& disk);

/// What the bootloader writes before it starts a slot on trial.
void mark_tried(BlockDevice& disk);

} // namespace sinew::firmware::test
