/// Reads the partition table of a disk.
#include "disk/gpt_reader.hpp"
#include "disk/guid.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr int most_logical = 8;
constexpr int first_logical_number = 4;

using Sector = std::array<std::byte, block_size_bytes>;

bool is_extended(std::uint8_t type) {
    return type == 0x05 || type == 0x0F || type == 0x85;
}

Result<Sector> read_table_sector(BlockDevice& disk, std::uint64_t block) {
    Sector sector{};
    TRY_OK(disk.read_at(block * block_size_bytes, sector));
    if (sector[510] != std::byte{0x55} || sector[511] != std::byte{0xAA}) {
        return failure(ErrorCode::corrupt, disk.name() + ": block " + std::to_string(block) +
                                               " holds no partition table; the disk isn't partitioned (MBR)");
    }
    return sector;
}

Partition decode(Sector const& sector, std::size_t index, int number, std::uint64_t base) {
    auto const at = 446 + 16 * index;
    Partition partition;
    partition.number = number;
    partition.bootable = (sector[at] & std::byte{0x80}) != std::byte{0};
    partition.type = std::to_integer<std::uint8_t>(sector[at + 4]);
    partition.block_offset = base + load_le32(sector, at + 8);
    partition.block_count = load_le32(sector, at + 12);
    return partition;
}

Result<> read_logical(BlockDevice& disk, Partition const& container, PartitionTable& table) {
    auto block = container.block_offset;
    for (int i = 0; i < most_logical; ++i) {
        TRY(auto const sector, read_table_sector(disk, block));
        auto const logical = decode(sector, 0, first_logical_number + i, block);
        auto const end = container.block_offset + container.block_count;
        if (logical.type != 0) {
            if (logical.block_offset < container.block_offset ||
                logical.block_offset + logical.block_count > end) {
                return failure(ErrorCode::corrupt,
                               disk.name() + ": logical partition " + std::to_string(logical.number) +
                                   " lies outside the extended one; the partition table is damaged");
            }
            table.partitions.push_back(logical);
        }
        auto const link = decode(sector, 1, 0, container.block_offset);
        if (link.type == 0) {
            return {};
        }
        if (!is_extended(link.type) || link.block_offset <= block || link.block_offset >= end) {
            return failure(
                ErrorCode::corrupt,
                disk.name() +
                    ": the chain of logical partitions leads astray; the partition table is damaged");
        }
        block = link.block_offset;
    }
    return {};
}

Result<PartitionTable> read_gpt(BlockDevice& disk) {
    auto gpt = read_gpt_at(disk, 1);
    if (!gpt && disk.size_bytes() >= 2 * block_size_bytes) {
        gpt = read_gpt_at(disk, disk.size_bytes() / block_size_bytes - 1);
    }
    if (!gpt) {
        return std::unexpected(std::move(gpt).error());
    }
    PartitionTable table;
    table.kind = PartitionTableKind::gpt;
    for (std::size_t at = 0; at < gpt->entries.size(); at += gpt->entry_bytes) {
        auto const entry = BytesView(gpt->entries).subspan(at, gpt->entry_bytes);
        auto const first = load_le64(entry, 32);
        auto const last = load_le64(entry, 40);
        if (std::ranges::all_of(entry.first(16), [](std::byte b) { return b == std::byte{0}; })) {
            continue;
        }
        if (first > last || last > gpt->last_usable_block) {
            return failure(ErrorCode::corrupt, disk.name() + ": partition " +
                                                   std::to_string(at / gpt->entry_bytes) +
                                                   " of the GPT lies outside the disk; the table is damaged");
        }
        Partition partition;
        partition.number = static_cast<int>(at / gpt->entry_bytes);
        partition.type = gpt_partition_type;
        partition.block_offset = first;
        partition.block_count = last - first + 1;
        constexpr std::uint64_t legacy_bootable = 4;
        partition.bootable = (load_le64(entry, 48) & legacy_bootable) != 0;
        partition.type_guid = format_guid(entry.first(16));
        partition.guid = format_guid(entry.subspan(16, 16));
        table.partitions.push_back(std::move(partition));
    }
    return table;
}

} // namespace

Partition const* PartitionTable::find(int number) const {
    auto const found = std::ranges::find(partitions, number, &Partition::number);
    return found == partitions.end() ? nullptr : &*found;
}

Partition const* PartitionTable::starting_at(std::uint64_t block) const {
    auto const found = std::ranges::find_if(
        partitions, [&](Partition const& p) { return p.block_offset == block && !is_extended(p.type); });
    return found == partitions.end() ? nullptr : &*found;
}

Result<PartitionTable> read_partition_table(BlockDevice& disk) {
    TRY(auto const sector, read_table_sector(disk, 0));
    if (decode(sector, 0, 0, 0).type == gpt_partition_type) {
        return read_gpt(disk);
    }
    PartitionTable table;
    table.signature = load_le32(sector, 440);
    Partition container;
    for (std::size_t i = 0; i < 4; ++i) {
        auto const partition = decode(sector, i, static_cast<int>(i), 0);
        if (partition.type == 0) {
            continue;
        }
        table.partitions.push_back(partition);
        if (is_extended(partition.type) && container.type == 0) {
            container = partition;
        }
    }
    if (container.type != 0) {
        TRY_OK(read_logical(disk, container, table));
    }
    return table;
}

} // namespace sinew::firmware
