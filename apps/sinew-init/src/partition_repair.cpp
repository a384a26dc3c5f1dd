/// Implements partition_repair.hpp.
///
#include "partition_repair.hpp"

#include "disk.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/config.hpp>

#include <linux/blkpg.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t block_bytes = 512;

std::optional<std::uint64_t> read_count(fs::path const& file) {
    auto const text = read_text_file(file, 64);
    return text ? parse_number<std::uint64_t>(trim(*text)) : std::nullopt;
}

/// A place without a count goes to the end of the disk.
bool is_right(fs::path const& partition, device::PartitionPlace const& place) {
    auto const first = read_count(partition / "start");
    auto const count = read_count(partition / "size");
    return first == static_cast<std::uint64_t>(place.first_block) && count &&
           (place.block_count == 0 || *count == static_cast<std::uint64_t>(place.block_count));
}

Result<> call_kernel(FileDescriptor const& disk, int what, blkpg_partition partition) {
    blkpg_ioctl_arg argument{.op = what, .flags = 0, .datalen = sizeof partition, .data = &partition};
    if (::ioctl(disk.get(), BLKPG, &argument) != 0) {
        return std::unexpected(
            error_from_errno(errno, "the kernel refuses partition " + std::to_string(partition.pno)));
    }
    return {};
}

} // namespace

Result<> BlockDevicePartitions::remove(int number) {
    blkpg_partition partition{};
    partition.pno = number;
    return call_kernel(m_disk, BLKPG_DEL_PARTITION, partition);
}

Result<> BlockDevicePartitions::add(int number, std::uint64_t first_block, std::uint64_t block_count) {
    blkpg_partition partition{};
    partition.pno = number;
    partition.start = static_cast<long long>(first_block) * static_cast<long long>(block_bytes);
    partition.length = static_cast<long long>(block_count) * static_cast<long long>(block_bytes);
    return call_kernel(m_disk, BLKPG_ADD_PARTITION, partition);
}

bool are_partitions_right(BlockDevicePaths const& paths, Disk const& disk, device::InitConfig const& config) {
    for (auto const& [name, place] : config.partition_places) {
        auto const number = config.partitions.find(name);
        if (number == config.partitions.end()) {
            continue;
        }
        auto const partition = disk.partitions.find(number->second);
        if (partition == disk.partitions.end() ||
            !is_right(paths.sys_block / disk.name / partition->second, place)) {
            return false;
        }
    }
    return true;
}

Result<> replace_partitions(BlockDevicePaths const& paths, Disk const& disk, device::InitConfig const& config,
                            KernelPartitions& kernel) {
    auto const disk_blocks = read_count(paths.sys_block / disk.name / "size").value_or(0);
    for (auto const& [number, name] : disk.partitions) {
        (void)kernel.remove(number); // One that is in use stays; then adding it again fails, and says so.
    }
    for (auto const& [name, place] : config.partition_places) {
        auto const number = config.partitions.find(name);
        auto const first = static_cast<std::uint64_t>(place.first_block);
        auto const count = static_cast<std::uint64_t>(place.block_count);
        if (number == config.partitions.end() || first >= disk_blocks) {
            continue;
        }
        TRY_OK(kernel.add(number->second, first, count != 0 ? count : disk_blocks - first));
    }
    return {};
}

} // namespace sinew::init
