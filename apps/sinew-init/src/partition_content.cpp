/// Implements partition_content.hpp.
///
/// Invariant: the mark at the tail counts only on a file system that was never mounted.
/// Source: the kernel's Documentation/filesystems/ext4/super.rst (offsets), blockgroup.rst (sparse_super).
#include "partition_content.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/data_mark.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

constexpr std::uint64_t least_partition_bytes = 1u << 20;
constexpr std::size_t probe_bytes = 128u << 10;
constexpr std::uint64_t samples = 256;
constexpr std::size_t sample_bytes = 4096;
constexpr std::size_t superblock_offset = 1024;
constexpr std::size_t superblock_bytes = 1024;
constexpr std::size_t max_copies = 3;

constexpr std::uint16_t ext_magic = 0xEF53;
constexpr std::uint16_t state_has_errors = 0x2;
constexpr std::size_t at_block_size = 24;
constexpr std::size_t at_mount_time = 44;
constexpr std::size_t at_mount_count = 52;
constexpr std::size_t at_magic = 56;
constexpr std::size_t at_state = 58;
constexpr std::size_t at_group = 90;

// 1 KiB to 64 KiB, as 1024 << log.
constexpr unsigned max_block_size_log = 6;

bool is_superblock(BytesView block) {
    return load_le16(block, at_magic) == ext_magic && load_le32(block, at_block_size) <= max_block_size_log;
}

bool was_ever_mounted(BytesView superblock) {
    return load_le32(superblock, at_mount_time) != 0 || load_le16(superblock, at_mount_count) != 0;
}

bool is_uniform(BytesView bytes) {
    auto const first = bytes.front();
    return (first == std::byte{0x00} || first == std::byte{0xff}) &&
           std::ranges::all_of(bytes, [&](std::byte b) { return b == first; });
}

/// All of the start, and samples of the rest: a file system with a single group has no copy of its superblock.
Result<bool> is_uniform_throughout(PartitionBytes& bytes) {
    Bytes start(probe_bytes);
    TRY_OK(bytes.read_at(0, start));
    auto const step = bytes.size_bytes() / samples / sample_bytes * sample_bytes;
    for (std::uint64_t at = 0; is_uniform(start) && at < samples; ++at) {
        std::array<std::byte, sample_bytes> sample{};
        TRY_OK(bytes.read_at(at * step, sample));
        if (!is_uniform(sample)) {
            return false;
        }
    }
    return is_uniform(start);
}

bool has_mark(BytesView block) {
    return as_text(block).starts_with(device::data_mark_text);
}

std::uint64_t tail_mark_offset(PartitionBytes const& bytes) {
    return bytes.size_bytes() / device::data_mark_bytes * device::data_mark_bytes - device::data_mark_bytes;
}

/// The groups that have a copy: 1, and the powers of 3, 5 and 7 below `end`.
std::vector<std::uint64_t> groups_with_copy(std::uint64_t end) {
    std::vector<std::uint64_t> groups{1};
    for (std::uint64_t const base : {3u, 5u, 7u}) {
        for (std::uint64_t group = base; group < end; group *= base) {
            groups.push_back(group);
        }
    }
    std::erase_if(groups, [&](std::uint64_t group) { return group >= end; });
    std::ranges::sort(groups);
    return groups;
}

struct CopyPlace {
    std::uint64_t group = 0;
    std::uint32_t block_size_log = 0;
    SuperblockCopy copy;
    [[nodiscard]] std::uint64_t offset() const { return copy.block * copy.block_size_bytes; }
};

/// Every place where a copy can be, whatever the size of the blocks.
std::vector<CopyPlace> copy_places(std::uint64_t size_bytes) {
    std::vector<CopyPlace> places;
    for (std::uint32_t log = 0; log <= max_block_size_log; ++log) {
        std::uint32_t const block_size = 1024u << log;
        std::uint64_t const blocks_in_group = std::uint64_t{8} * block_size;
        std::uint64_t const first_block = log == 0 ? 1 : 0;
        for (auto const group : groups_with_copy(size_bytes / (blocks_in_group * block_size) + 1)) {
            CopyPlace const place{.group = group,
                                  .block_size_log = log,
                                  .copy = {first_block + group * blocks_in_group, block_size}};
            if (place.offset() + superblock_bytes <= size_bytes) {
                places.push_back(place);
            }
        }
    }
    return places;
}

Result<bool> holds_copy(PartitionBytes& bytes, CopyPlace const& place) {
    std::array<std::byte, superblock_bytes> block{};
    TRY_OK(bytes.read_at(place.offset(), block));
    return is_superblock(block) && load_le32(block, at_block_size) == place.block_size_log &&
           load_le16(block, at_group) == place.group;
}

Result<bool> is_unfinished(PartitionBytes& bytes) {
    std::array<std::byte, device::data_mark_bytes> block{};
    TRY_OK(bytes.read_at(tail_mark_offset(bytes), block));
    return has_mark(block);
}

} // namespace

Result<std::vector<SuperblockCopy>> find_superblock_copies(PartitionBytes& bytes) {
    std::vector<SuperblockCopy> copies;
    for (auto const& place : copy_places(bytes.size_bytes())) {
        TRY(bool const is_there, holds_copy(bytes, place));
        if (is_there) {
            copies.push_back(place.copy);
        }
        if (copies.size() == max_copies) {
            break;
        }
    }
    return copies;
}

Result<PartitionProbe> probe_partition(PartitionBytes& bytes) {
    if (bytes.size_bytes() < least_partition_bytes) {
        return failure(ErrorCode::invalid_argument, "the data partition is smaller than 1 MiB");
    }
    Bytes start(superblock_offset + superblock_bytes);
    TRY_OK(bytes.read_at(0, start));
    if (has_mark(start)) {
        return PartitionProbe{.content = PartitionContent::marked};
    }
    auto const superblock = BytesView(start).subspan(superblock_offset);
    bool const has_superblock = is_superblock(superblock);
    if (!has_superblock || !was_ever_mounted(superblock)) {
        TRY(bool const unfinished, is_unfinished(bytes));
        if (unfinished) {
            return PartitionProbe{.content = PartitionContent::marked};
        }
    }
    if (has_superblock) {
        bool const has_errors = (load_le16(superblock, at_state) & state_has_errors) != 0;
        return PartitionProbe{.content = has_errors ? PartitionContent::file_system_with_errors
                                                    : PartitionContent::file_system};
    }
    TRY(auto copies, find_superblock_copies(bytes));
    if (!copies.empty()) {
        return PartitionProbe{.content = PartitionContent::superblock_copy, .copies = std::move(copies)};
    }
    TRY(bool const is_unused, is_uniform_throughout(bytes));
    return PartitionProbe{.content = is_unused ? PartitionContent::empty : PartitionContent::unknown};
}

Result<> begin_format(PartitionBytes& bytes) {
    auto const mark = device::data_mark();
    TRY_OK(bytes.write_at(tail_mark_offset(bytes), as_bytes(mark)));
    TRY_OK(bytes.sync());
    Bytes const zeros(superblock_bytes);
    for (auto const& place : copy_places(bytes.size_bytes())) {
        TRY(bool const is_there, holds_copy(bytes, place));
        if (is_there) {
            TRY_OK(bytes.write_at(place.offset(), zeros));
        }
    }
    return bytes.sync();
}

Result<> end_format(PartitionBytes& bytes) {
    TRY_OK(bytes.sync()); // What mke2fs wrote, before the mark that says it isn't finished goes.
    TRY_OK(bytes.write_at(tail_mark_offset(bytes), Bytes(device::data_mark_bytes)));
    return bytes.sync();
}

} // namespace sinew::init
