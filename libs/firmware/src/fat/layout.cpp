/// Computes and reads layouts.
#include "fat/layout.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

// FAT12 has fewer clusters than this, FAT16 fewer than the next; every driver tells the types apart by the
// count.
constexpr std::uint32_t fewest_fat16_clusters = 4085;
constexpr std::uint32_t fewest_fat32_clusters = 65525;
constexpr std::uint32_t most_clusters = 0x0FFFFFF5;
constexpr std::uint32_t root_sectors = 32; // 512 entries

std::uint64_t bytes_for_entries(FatType type, std::uint64_t entries) {
    switch (type) {
    case FatType::fat12:
        return (entries * 3 + 1) / 2;
    case FatType::fat16:
        return entries * 2;
    case FatType::fat32:
        return entries * 4;
    }
    return 0;
}

/// The layout with FATs of `type` for the whole volume; nothing if it doesn't fit at all.
std::optional<FatLayout> fill(FatType type, std::uint64_t sectors) {
    bool const is_32 = type == FatType::fat32;
    FatLayout layout;
    layout.type = type;
    layout.total_sectors = static_cast<std::uint32_t>(sectors);
    layout.reserved_sectors = is_32 ? 32 : 1;
    layout.root_sectors = is_32 ? 0 : root_sectors;
    layout.root_cluster = is_32 ? 2 : 0;
    layout.info_sector = is_32 ? 1 : 0;
    auto const fat_bytes = bytes_for_entries(type, sectors + 2);
    layout.fat_sectors = static_cast<std::uint32_t>((fat_bytes + block_size_bytes - 1) / block_size_bytes);
    if (layout.data_start() >= sectors) {
        return std::nullopt;
    }
    layout.cluster_count = layout.total_sectors - layout.data_start();
    return layout;
}

FatLayout shrink_to(FatLayout layout, std::uint32_t clusters) {
    layout.total_sectors -= layout.cluster_count - clusters;
    layout.cluster_count = clusters;
    return layout;
}

std::unexpected<Error> no_file_system(BlockDevice const& disk, std::uint64_t first_block,
                                      std::string const& why) {
    return failure(ErrorCode::corrupt, disk.name() + ": no FAT file system at block " +
                                           std::to_string(first_block) + ": " + why +
                                           "; make one with fat_mkfs first");
}

} // namespace

std::string_view FatLayout::type_name() const noexcept {
    switch (type) {
    case FatType::fat12:
        return "FAT12   ";
    case FatType::fat16:
        return "FAT16   ";
    case FatType::fat32:
        break;
    }
    return "FAT32   ";
}

Result<FatLayout> plan_fat(std::uint64_t sector_count) {
    constexpr std::uint64_t fewest_sectors = 64;
    constexpr std::uint64_t most_sectors = 1u << 28; // with clusters of one block FAT32 can't number more
    if (sector_count < fewest_sectors || sector_count > most_sectors) {
        return failure(ErrorCode::invalid_argument,
                       "a FAT file system can't have " + std::to_string(sector_count) +
                           " blocks; give it 64 to " + std::to_string(most_sectors));
    }
    auto const small = fill(FatType::fat12, sector_count);
    if (!small) {
        return failure(ErrorCode::invalid_argument,
                       "a FAT file system needs more than " + std::to_string(sector_count) + " blocks");
    }
    if (small->cluster_count < fewest_fat16_clusters) {
        return *small;
    }
    // Between the types lie sizes where the larger FAT leaves too few clusters for its type: waste a few
    // sectors there.
    auto const medium = fill(FatType::fat16, sector_count);
    if (!medium || medium->cluster_count < fewest_fat16_clusters) {
        return shrink_to(*small, fewest_fat16_clusters - 1);
    }
    if (medium->cluster_count < fewest_fat32_clusters) {
        return *medium;
    }
    auto const large = fill(FatType::fat32, sector_count);
    if (!large || large->cluster_count < fewest_fat32_clusters) {
        return shrink_to(*medium, fewest_fat32_clusters - 1);
    }
    return *large;
}

Result<FatLayout> read_fat_layout(BlockDevice& disk, std::uint64_t first_block) {
    if (first_block > std::numeric_limits<std::uint64_t>::max() / block_size_bytes / 2) {
        return no_file_system(disk, first_block, "that is behind the end of any disk");
    }
    std::array<std::byte, block_size_bytes> sector{};
    TRY_OK(disk.read_at(first_block * block_size_bytes, sector));
    if (sector[510] != std::byte{0x55} || sector[511] != std::byte{0xAA} ||
        load_le16(sector, 11) != block_size_bytes) {
        return no_file_system(disk, first_block, "the boot sector is missing");
    }
    FatLayout layout;
    layout.sectors_per_cluster = std::to_integer<std::uint32_t>(sector[13]);
    layout.reserved_sectors = load_le16(sector, 14);
    layout.fat_count = std::to_integer<std::uint32_t>(sector[16]);
    layout.root_sectors = (load_le16(sector, 17) * 32u + 511u) / 512u;
    layout.total_sectors = load_le16(sector, 19) != 0 ? load_le16(sector, 19) : load_le32(sector, 32);
    layout.fat_sectors = load_le16(sector, 22);
    bool const is_32 = layout.fat_sectors == 0;
    if (is_32) {
        layout.fat_sectors = load_le32(sector, 36);
        layout.root_cluster = load_le32(sector, 44);
        layout.info_sector = load_le16(sector, 48);
    }
    if (!std::has_single_bit(layout.sectors_per_cluster) || layout.reserved_sectors == 0 ||
        layout.fat_count < 1 || layout.fat_count > 2 || layout.fat_sectors == 0 ||
        layout.fat_sectors > (1u << 24) || layout.data_start() >= layout.total_sectors) {
        return no_file_system(disk, first_block, "its numbers make no sense");
    }
    layout.cluster_count = (layout.total_sectors - layout.data_start()) / layout.sectors_per_cluster;
    layout.type = layout.cluster_count < fewest_fat16_clusters   ? FatType::fat12
                  : layout.cluster_count < fewest_fat32_clusters ? FatType::fat16
                                                                 : FatType::fat32;
    bool const fits = bytes_for_entries(layout.type, std::uint64_t{layout.cluster_count} + 2) <=
                      std::uint64_t{layout.fat_sectors} * block_size_bytes;
    if (is_32 != (layout.type == FatType::fat32) || !fits || layout.cluster_count == 0 ||
        layout.cluster_count > most_clusters ||
        (is_32 && (layout.root_cluster < 2 || layout.root_cluster > layout.last_cluster()))) {
        return no_file_system(disk, first_block, "its numbers contradict each other");
    }
    if (layout.info_sector >= layout.reserved_sectors) {
        layout.info_sector = 0;
    }
    return layout;
}

} // namespace sinew::firmware
