/// Gives the kernel the partitions that the firmware knows, when the table on the disk says something else.
///
/// The layout is the firmware's own: a damaged sector of the table must not keep it from its slots. Nothing is
/// written to the disk here; sinewd restores the table (the task restore-table) once all is up.
/// Threading: one thread.
#pragma once

#include "disk.hpp"

#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>

#include <cstdint>
#include <filesystem>

namespace sinew::init {

/// The kernel's list of a disk's partitions. Offsets and counts are in blocks of 512 bytes.
class KernelPartitions {
public:
    KernelPartitions() = default;
    KernelPartitions(KernelPartitions const&) = delete;
    KernelPartitions& operator=(KernelPartitions const&) = delete;
    KernelPartitions(KernelPartitions&&) = delete;
    KernelPartitions& operator=(KernelPartitions&&) = delete;
    virtual ~KernelPartitions() = default;
    [[nodiscard]] virtual Result<> remove(int number) = 0;
    [[nodiscard]] virtual Result<> add(int number, std::uint64_t first_block, std::uint64_t block_count) = 0;
};

/// By ioctl(2) BLKPG on the disk's device.
class BlockDevicePartitions final : public KernelPartitions {
public:
    explicit BlockDevicePartitions(FileDescriptor disk)
        : m_disk(std::move(disk)) {}
    Result<> remove(int number) override;
    Result<> add(int number, std::uint64_t first_block, std::uint64_t block_count) override;

private:
    FileDescriptor m_disk;
};

/// Every partition of `config` that has a place is where it belongs.
[[nodiscard]] bool are_partitions_right(BlockDevicePaths const& paths, Disk const& disk,
                                        device::InitConfig const& config);

/// Removes what the kernel has and adds what `config` knows. Error: the first that couldn't be added.
[[nodiscard]] Result<> replace_partitions(BlockDevicePaths const& paths, Disk const& disk,
                                          device::InitConfig const& config, KernelPartitions& kernel);

} // namespace sinew::init
