/// What the update engine has to know of the machine it runs on: where a path is mounted from, and how much
/// raw flash holds.
///
/// Injected, so that tests can say what is mounted. Threading: const calls from any thread; they may block.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace sinew::firmware {

/// A contiguous range of a disk.
struct MountSource {
    /// st_dev of the mounted path: the partition.
    std::uint64_t partition_number = 0;
    /// The kernel's number of the disk the partition lies on; the partition's own if it is a whole disk.
    std::uint64_t disk_number = 0;
    std::uint64_t start_block = 0;
    std::uint64_t block_count = 0;
};

class RunningSystem {
public:
    RunningSystem() = default;
    RunningSystem(RunningSystem const&) = delete;
    RunningSystem& operator=(RunningSystem const&) = delete;
    virtual ~RunningSystem() = default;
    /// The partition that `path` is mounted from; device-mapper layers are followed down, at most 3.
    /// Error not_found: `path` isn't there, or isn't on a block device (a RAM disk, an overlay, a network).
    [[nodiscard]] virtual Result<MountSource> mount_source(std::filesystem::path const& path) const = 0;
    /// Whether `path` is mounted from the block special file `device` (or from a layer above it).
    [[nodiscard]] virtual bool is_path_on_device(std::filesystem::path const& path,
                                                 std::filesystem::path const& device) const = 0;
    /// How many bytes a UBI volume (/dev/ubi0_1) holds. None if it isn't there, or isn't a UBI volume.
    [[nodiscard]] virtual std::optional<std::uint64_t>
    ubi_volume_bytes(std::filesystem::path const& volume) const = 0;
};

/// The kernel's answer: stat(2), /sys/dev/block and /sys/dev/char.
class KernelRunningSystem final : public RunningSystem {
public:
    /// `sysfs` is where sysfs is mounted.
    explicit KernelRunningSystem(std::filesystem::path sysfs = "/sys")
        : m_sysfs(std::move(sysfs)) {}
    [[nodiscard]] Result<MountSource> mount_source(std::filesystem::path const& path) const override;
    [[nodiscard]] bool is_path_on_device(std::filesystem::path const& path,
                                         std::filesystem::path const& device) const override;
    [[nodiscard]] std::optional<std::uint64_t>
    ubi_volume_bytes(std::filesystem::path const& volume) const override;

private:
    std::filesystem::path m_sysfs;
};

} // namespace sinew::firmware
