/// Brings up the data partition, and never destroys what may be data.
///
///     marked, empty        -> file system made, mounted                        formatted
///     file system          -> mounted                                          mounted
///       can't be mounted   -> checked (safely, then thoroughly), mounted       repaired
///     superblock damaged   -> checked with a copy of it, mounted               repaired
///     anything else        -> not touched; read only if that works             read_only, missing
///
/// Invariant: a file system is made only where partition_content.hpp proves that nothing is there. "Couldn't be
/// mounted", "couldn't be checked" and "isn't supported" are not damage. On trial nothing is formatted, and
/// nothing is repaired beyond what e2fsck calls safe (-p): the slot that waits for the end of the trial may be
/// able to read what this one can't. Threading: one thread; blocks as long as a check of the file system takes.
#pragma once

#include "log.hpp"
#include "partition_content.hpp"

#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace sinew::init {

/// What bringing up the partition needs done; the real one runs programs, tests count calls.
class PartitionTools {
public:
    PartitionTools() = default;
    PartitionTools(PartitionTools const&) = delete;
    PartitionTools& operator=(PartitionTools const&) = delete;
    PartitionTools(PartitionTools&&) = delete;
    PartitionTools& operator=(PartitionTools&&) = delete;
    virtual ~PartitionTools() = default;
    /// Error: the partition can't be opened.
    [[nodiscard]] virtual Result<PartitionBytes*> bytes() = 0;
    /// `read_only` doesn't even replay the journal. The error has mount(2)'s errno.
    enum class Access : std::uint8_t { read_write, read_only };
    [[nodiscard]] virtual Result<> mount(Access access) = 0;
    /// e2fsck's exit status. `thorough` answers yes to every question; otherwise only safe repairs are made.
    /// Error: it couldn't be run to its end.
    enum class Repair : std::uint8_t { safe, thorough };
    [[nodiscard]] virtual Result<int> check(Repair repair, std::optional<SuperblockCopy> const& copy) = 0;
    [[nodiscard]] virtual Result<> make_file_system() = 0;
};

enum class OnTrial : bool { no, yes };

/// How it went, and in a sentence why, unless it was simply mounted.
struct DataReport {
    device::DataState state = device::DataState::missing;
    std::string detail = {};
};

/// Always ends in a report; `missing`: the device goes on without.
[[nodiscard]] DataReport bring_up_data(PartitionTools& tools, OnTrial trial, Log& log);

} // namespace sinew::init
