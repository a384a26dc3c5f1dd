/// The disk layout: where everything lies, computed from a description.
///
/// All offsets and counts are in blocks of 512 bytes. Nothing overlaps (checked when it is computed).
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

inline constexpr std::uint64_t block_size_bytes = 512;

/// The partition (as the kernel counts) around the tried block, and its blocks; see boot_script.hpp.
inline constexpr int tried_partition_number = 3;
inline constexpr std::uint64_t tried_archive_blocks = 4;

enum class Slot : char { a = 'a', b = 'b' };
[[nodiscard]] constexpr Slot other(Slot slot) noexcept {
    return slot == Slot::a ? Slot::b : Slot::a;
}
[[nodiscard]] std::string_view to_string(Slot slot) noexcept;

/// A partition and its place.
struct PlacedPartition {
    std::string name{};
    /// As the kernel counts: primaries 1..4, logical ones from 5.
    int number = 0;
    std::uint64_t block_offset = 0;
    std::uint64_t block_count = 0;
    std::uint8_t type = 0;
    bool expand = false;
    [[nodiscard]] std::uint64_t end() const noexcept { return block_offset + block_count; }
};

struct Layout {
    /// In the order on the disk, the extended one not among them.
    std::vector<PlacedPartition> partitions{};
    /// Where the extended partition (number 4) starts; 0: there is none.
    std::uint64_t extended_block_offset = 0;
    /// The bootloader's core image: from here, at most so many blocks.
    std::uint64_t core_block_offset = 0;
    std::uint64_t core_block_count = 0;
    /// Partition 3: the archive that holds the tried block.
    std::uint64_t tried_archive_offset = 0;
    /// The smallest disk it fits on.
    std::uint64_t total_blocks = 0;

    /// The partition `name`; it exists (parse_description() has seen to it).
    [[nodiscard]] PlacedPartition const& at(std::string_view name) const;
    [[nodiscard]] PlacedPartition const& boot(Slot slot) const;
    [[nodiscard]] PlacedPartition const& rootfs(Slot slot) const;
};

/// Places the partitions one behind the other. Errors invalid_argument: overlapping fixed areas, more than
/// three primary partitions, an `expand` that isn't last, a disk larger than an MBR can describe.
[[nodiscard]] Result<Layout> compute_layout(Description const& description);

/// The layout as a Markdown table, for the documentation.
[[nodiscard]] std::string layout_markdown(Description const& description, Layout const& layout);

} // namespace sinew::system
