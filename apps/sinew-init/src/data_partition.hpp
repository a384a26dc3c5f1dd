/// Brings up the data partition without ever throwing away what can be saved.
///
/// Invariant: it is formatted only when it holds no file system at all, or when repairing it has failed; both
/// are said in the log. Threading: one thread; blocks as long as a check of the file system takes.
#pragma once

#include "log.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>

namespace sinew::init {

/// What the first bytes of a partition say.
enum class PartitionContent : std::uint8_t {
    /// Only zeros or only ones: never used, or erased by a factory reset.
    blank,
    /// An ext2/3/4 superblock that notes no error.
    file_system,
    /// An ext2/3/4 superblock whose owner, the kernel, has noted an error.
    file_system_with_errors,
    /// Something else: another file system, or a destroyed superblock.
    unknown
};

/// How much of the partition's start classify_partition() wants.
inline constexpr std::size_t partition_probe_bytes = 128u << 10;

/// Classifies `start`, the first bytes of a partition; fewer than 2 KiB are unknown.
[[nodiscard]] PartitionContent classify_partition(BytesView start);

/// What bringing up the partition needs done; the real one runs programs, tests count calls.
class PartitionTools {
public:
    PartitionTools() = default;
    PartitionTools(PartitionTools const&) = delete;
    PartitionTools& operator=(PartitionTools const&) = delete;
    PartitionTools(PartitionTools&&) = delete;
    PartitionTools& operator=(PartitionTools&&) = delete;
    virtual ~PartitionTools() = default;
    /// Error: can't be read.
    virtual Result<PartitionContent> probe() = 0;
    virtual Result<> mount() = 0;
    /// e2fsck's exit status. `thorough` answers yes to every question; otherwise only safe repairs are made.
    enum class Repair : std::uint8_t { safe, thorough };
    virtual Result<int> check(Repair repair) = 0;
    virtual Result<> format() = 0;
};

/// How it went.
enum class DataOutcome : std::uint8_t { mounted, formatted, repaired, lost_and_formatted };

/// Error: not mounted in the end; the device goes on without it.
[[nodiscard]] Result<DataOutcome> bring_up_data(PartitionTools& tools, Log& log);

} // namespace sinew::init
