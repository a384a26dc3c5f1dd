/// The partition table of a disk: an MBR with its logical partitions (EBRs), or a GPT.
///
/// Partitions are numbered as update scripts do: of an MBR primaries 0..3, logical ones from 4 up; of a GPT
/// by their place in the table. The kernel's number is one more. Threading: plain values.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

struct Partition {
    /// MBR: 0..3 primary, 4..11 logical. GPT: 0..127.
    int number = 0;
    std::uint64_t block_offset = 0;
    std::uint64_t block_count = 0;
    /// The MBR type byte, e.g. 0x83; never 0. gpt_partition_type on a GPT.
    std::uint8_t type = 0;
    bool bootable = false;
    /// Only on a GPT: lower-case GUIDs, e.g. "0fc63daf-8483-4772-8e79-3d69d8477de4".
    std::string type_guid{};
    std::string guid{};
};

/// The type byte that stands for "see the GPT" in a protective MBR.
inline constexpr std::uint8_t gpt_partition_type = 0xEE;

enum class PartitionTableKind : std::uint8_t { mbr, gpt };

struct PartitionTable {
    PartitionTableKind kind = PartitionTableKind::mbr;
    /// The disk signature at byte 440; 0 on a GPT.
    std::uint32_t signature = 0;
    /// In the order of their numbers; the extended partition itself is among them.
    std::vector<Partition> partitions;
    [[nodiscard]] Partition const* find(int number) const;
    /// The partition that starts at `block`, the extended one left out.
    [[nodiscard]] Partition const* starting_at(std::uint64_t block) const;
};

/// Reads sector 0 and the chain of EBRs, at most 8; or the first GPT whose checksums are right, the one at
/// the end of the disk included. Errors: corrupt: no 0x55 0xAA mark, a chain that leads outside its extended
/// partition or in circles, or no whole GPT behind a protective MBR; io.
[[nodiscard]] Result<PartitionTable> read_partition_table(BlockDevice& disk);

} // namespace sinew::firmware
