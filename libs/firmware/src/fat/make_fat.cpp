/// Makes an empty FAT file system: boot sector, FATs, root directory, FSINFO.
///
/// Invariant: the same bytes for the same size; all times are 1980-01-01.
#include "fat/layout.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sinew::firmware {

namespace {

using Sector = std::array<std::byte, block_size_bytes>;

constexpr std::uint32_t backup_boot_sector = 6;
constexpr std::uint32_t volume_id_base = 0x00210000;

void put_text(Sector& sector, std::size_t at, std::string_view text) {
    std::ranges::copy(as_bytes(text), sector.begin() + static_cast<std::ptrdiff_t>(at));
}

Sector boot_sector(FatLayout const& layout) {
    Sector sector{};
    bool const is_32 = layout.type == FatType::fat32;
    put_text(sector, 0, "\xEB\xFE\x90MSDOS5.0");
    store_le16(sector, 11, block_size_bytes);
    sector[13] = static_cast<std::byte>(layout.sectors_per_cluster);
    store_le16(sector, 14, static_cast<std::uint16_t>(layout.reserved_sectors));
    sector[16] = static_cast<std::byte>(layout.fat_count);
    store_le16(sector, 17, static_cast<std::uint16_t>(layout.root_sectors * block_size_bytes / 32));
    if (layout.total_sectors < 0x10000) {
        store_le16(sector, 19, static_cast<std::uint16_t>(layout.total_sectors));
    } else {
        store_le32(sector, 32, layout.total_sectors);
    }
    sector[21] = std::byte{0xF8};
    store_le16(sector, 24, 63);
    store_le16(sector, 26, 255);
    std::size_t const tail = is_32 ? 64 : 36;
    if (is_32) {
        store_le32(sector, 36, layout.fat_sectors);
        store_le32(sector, 44, layout.root_cluster);
        store_le16(sector, 48, static_cast<std::uint16_t>(layout.info_sector));
        store_le16(sector, 50, backup_boot_sector);
    } else {
        store_le16(sector, 22, static_cast<std::uint16_t>(layout.fat_sectors));
    }
    sector[tail] = std::byte{0x80};
    sector[tail + 2] = std::byte{0x29};
    store_le32(sector, tail + 3, volume_id_base + layout.total_sectors);
    put_text(sector, tail + 7, "NO NAME    ");
    put_text(sector, tail + 18, layout.type_name());
    sector[510] = std::byte{0x55};
    sector[511] = std::byte{0xAA};
    return sector;
}

Sector info_sector(FatLayout const& layout) {
    Sector sector{};
    put_text(sector, 0, "RRaA");
    put_text(sector, 484, "rrAa");
    store_le32(sector, 488, layout.cluster_count - 1);
    store_le32(sector, 492, 2);
    store_le32(sector, 508, 0xAA550000);
    return sector;
}

Sector first_fat_sector(FatType type) {
    Sector sector{};
    switch (type) {
    case FatType::fat12:
        put_text(sector, 0, "\xF8\xFF\xFF");
        break;
    case FatType::fat16:
        put_text(sector, 0, "\xF8\xFF\xFF\xFF");
        break;
    case FatType::fat32: // entry 2 is the root directory, one cluster long
        store_le32(sector, 0, 0x0FFFFFF8);
        store_le32(sector, 4, 0x0FFFFFFF);
        store_le32(sector, 8, 0x0FFFFFFF);
        break;
    }
    return sector;
}

/// Zeros from the first FAT to the end of the (first cluster of the) root directory.
Result<> clear_tables(BlockDevice& disk, std::uint64_t first_block, FatLayout const& layout) {
    Bytes const zeros(128u << 10);
    auto const sectors_of_root =
        layout.type == FatType::fat32 ? layout.sectors_per_cluster : layout.root_sectors;
    auto at = (first_block + layout.reserved_sectors) * block_size_bytes;
    auto const end = (first_block + layout.root_start() + sectors_of_root) * block_size_bytes;
    while (at < end) {
        // Pieces end at multiples of their size, so that a cache can pass whole segments on.
        auto const piece = std::min<std::uint64_t>(end - at, zeros.size() - at % zeros.size());
        TRY_OK(disk.write_at(at, BytesView(zeros).first(static_cast<std::size_t>(piece))));
        at += piece;
    }
    return {};
}

} // namespace

Result<> make_fat(BlockDevice& disk, std::uint64_t first_block, std::uint64_t sector_count) {
    TRY(auto const layout, plan_fat(sector_count));
    auto const put = [&](std::uint64_t sector, Sector const& content) {
        return disk.write_at((first_block + sector) * block_size_bytes, content);
    };
    auto const boot = boot_sector(layout);
    TRY_OK(clear_tables(disk, first_block, layout));
    for (std::uint32_t fat = 0; fat < layout.fat_count; ++fat) {
        TRY_OK(put(layout.reserved_sectors + std::uint64_t{fat} * layout.fat_sectors,
                   first_fat_sector(layout.type)));
    }
    if (layout.type == FatType::fat32) {
        auto const info = info_sector(layout);
        TRY_OK(put(layout.info_sector, info));
        TRY_OK(put(backup_boot_sector, boot));
        TRY_OK(put(backup_boot_sector + 1, info));
    }
    Sector last{};
    last.fill(std::byte{0xFF});
    TRY_OK(put(sector_count - 1, last)); // an image file gets its full length
    return put(0, boot);
}

} // namespace sinew::firmware
