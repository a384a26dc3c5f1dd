/// Where the parts of a FAT file system lie: computed for a new one, read from the boot sector of an existing
/// one.
///
/// Invariant: a layout that was read or computed lies inside its volume, and its cluster count says its type
/// beyond doubt. Threading: plain values and free functions.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <string_view>

namespace sinew::firmware {

enum class FatType : std::uint8_t { fat12, fat16, fat32 };

/// All counts and positions are in sectors of 512 bytes, positions from the beginning of the volume.
struct FatLayout {
    FatType type = FatType::fat12;
    std::uint32_t total_sectors = 0;
    std::uint32_t reserved_sectors = 1;
    std::uint32_t fat_count = 2;
    std::uint32_t fat_sectors = 0;
    /// 0 on FAT32, where the root is a chain like any other directory.
    std::uint32_t root_sectors = 0;
    std::uint32_t sectors_per_cluster = 1;
    std::uint32_t cluster_count = 0;
    std::uint32_t root_cluster = 0;
    /// 0: none.
    std::uint32_t info_sector = 0;

    [[nodiscard]] std::uint32_t root_start() const noexcept {
        return reserved_sectors + fat_count * fat_sectors;
    }
    [[nodiscard]] std::uint32_t data_start() const noexcept { return root_start() + root_sectors; }
    /// The first sector of a cluster, which are numbered from 2.
    [[nodiscard]] std::uint64_t cluster_start(std::uint32_t cluster) const noexcept {
        return data_start() + std::uint64_t{cluster - 2} * sectors_per_cluster;
    }
    [[nodiscard]] std::uint32_t last_cluster() const noexcept { return cluster_count + 1; }
    [[nodiscard]] std::string_view type_name() const noexcept;
};

/// The layout of a new file system. Error invalid_argument: too small or too large.
[[nodiscard]] Result<FatLayout> plan_fat(std::uint64_t sector_count);

/// Error corrupt: no FAT file system, or one whose numbers make no sense.
[[nodiscard]] Result<FatLayout> read_fat_layout(BlockDevice& disk, std::uint64_t first_block);

/// Makes an empty file system in `sector_count` blocks from `first_block`.
[[nodiscard]] Result<> make_fat(BlockDevice& disk, std::uint64_t first_block, std::uint64_t sector_count);

} // namespace sinew::firmware
