/// The MBR partition table with its logical partitions (EBRs).
///
/// Partitions are numbered as update scripts do: primaries 0..3, logical ones from 4 up. The kernel's number
/// is one more. Threading: plain values.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace sinew::firmware {

struct Partition {
    /// 0..3 primary, 4..11 logical.
    int number = 0;
    std::uint64_t block_offset = 0;
    std::uint64_t block_count = 0;
    /// The MBR type byte, e.g. 0x83; never 0.
    std::uint8_t type = 0;
    bool bootable = false;
};

struct PartitionTable {
    /// The disk signature at byte 440.
    std::uint32_t signature = 0;
    /// In the order of their numbers; the extended partition itself is among them.
    std::vector<Partition> partitions;
    [[nodiscard]] Partition const* find(int number) const;
    /// The partition that starts at `block`, the extended one left out.
    [[nodiscard]] Partition const* starting_at(std::uint64_t block) const;
};

/// Reads sector 0 and the chain of EBRs, at most 8. Errors: corrupt: no 0x55 0xAA mark, or a chain that leads
/// outside its extended partition or in circles; io.
[[nodiscard]] Result<PartitionTable> read_partition_table(BlockDevice& disk);

} // namespace sinew::firmware
