/// Partition tables as update scripts describe them, and their sectors.
///
/// Invariant: a table that encodes has no overlaps, and everything in it fits in its 32-bit fields.
/// Threading: plain values and free functions.
#pragma once

#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace sinew::firmware {

struct MbrSpec {
    /// 440 bytes of boot code, or empty: then zeros.
    Bytes bootstrap_code;
    std::uint32_t signature = 0;
    /// Sorted by number; an entry of type 0 only carries its numbers, as some boards want it.
    std::vector<Partition> partitions;
    /// The number of the partition that grows to the end of the disk.
    std::optional<int> expanding;
};

/// An `mbr` section of a script. Error invalid_argument: says which partition and why, without a position.
[[nodiscard]] Result<MbrSpec> mbr_spec(Section const& section);

struct DiskBlock {
    std::uint64_t number = 0;
    Bytes bytes;
};

/// Sector 0 and the EBR of every logical partition, in the order to write them: EBRs first.
/// `disk_blocks`: the disk's size if it is known, for the partition that expands.
[[nodiscard]] Result<std::vector<DiskBlock>> encode_mbr(MbrSpec const& spec,
                                                        std::optional<std::uint64_t> disk_blocks);

} // namespace sinew::firmware
