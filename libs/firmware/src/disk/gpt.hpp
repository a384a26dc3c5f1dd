/// GUID partition tables as update scripts describe them, and their sectors (UEFI 2.10, section 5.3).
///
/// Invariant: a table that encodes has no overlaps, and everything in it lies between its two copies.
/// Threading: plain values and free functions.
#pragma once

#include "disk/guid.hpp"
#include "disk/mbr.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

struct GptPartition {
    /// 0..15: its place in the table.
    int number = 0;
    std::uint64_t block_offset = 0;
    std::uint64_t block_count = 0;
    Guid type{};
    Guid guid{};
    std::u16string name;
    std::uint64_t flags = 0;
};

struct GptSpec {
    Guid guid{};
    /// Sorted by number.
    std::vector<GptPartition> partitions;
    /// The number of the partition that grows to the end of the disk.
    std::optional<int> expanding;
    /// The smallest disk that holds the partitions and both tables.
    [[nodiscard]] std::uint64_t fewest_blocks() const;
};

/// A `gpt` section of a script. Error invalid_argument: says which partition and why, without a position.
[[nodiscard]] Result<GptSpec> gpt_spec(Section const& section);

/// The two tables of a disk.
enum class GptCopy : std::uint8_t { at_beginning, at_end };

/// The sectors in the order to write them: the copy `first`, then the other one, then the protective MBR.
/// Each must be on the medium before the next, and the copy that isn't first must be whole, or neither: then
/// one is whole at any time. `disk_blocks`: the disk's size if it is known; else the second table follows the
/// last partition. Error no_space: the disk is smaller than fewest_blocks().
[[nodiscard]] Result<std::vector<DiskBlock>>
encode_gpt(GptSpec const& spec, std::optional<std::uint64_t> disk_blocks, GptCopy first = GptCopy::at_end);

/// The `flags` of a partition with `boot = true` folded in, as meta.conf has them; nothing if they are no
/// number.
[[nodiscard]] std::optional<std::string> gpt_flags_with_boot(std::string_view flags);

} // namespace sinew::firmware
