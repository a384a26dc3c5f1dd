/// Placing partitions.
///
/// Invariant: areas are disjoint and in the order of the description.
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

constexpr std::uint64_t blocks_per_mib = (1u << 20) / block_size_bytes;
constexpr std::uint8_t extended_type = 0x0f;
constexpr int extended_number = 4;
constexpr int last_primary_number = tried_partition_number - 1;
constexpr int first_logical_number = 5;

/// A fixed area in front of the partitions.
struct Area {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
};

std::uint64_t align_up(std::uint64_t block, std::uint64_t alignment) {
    return (block + alignment - 1) / alignment * alignment;
}

std::vector<Area> fixed_areas(Description const& description) {
    auto const& boot = description.bootloader;
    auto const& environment = description.environment;
    std::vector<Area> areas = {
        {"boot state", boot.state_block, 1},
        {"boot state, copy", boot.state_copy_block, 1},
        {"trial started (3)", boot.tried_block - std::uint64_t{1}, tried_archive_blocks},
        {"environment", environment.block, environment.block_count},
        {"environment, copy", environment.redundant_block, environment.block_count}};
    std::ranges::sort(areas, {}, &Area::offset);
    return areas;
}

Result<> check_areas(std::vector<Area> const& areas) {
    std::uint64_t previous_end = 2; // the MBR, and at least one block of bootloader
    std::string previous_name = "bootloader";
    for (auto const& area : areas) {
        if (area.offset < previous_end || area.count == 0) {
            return failure(
                ErrorCode::invalid_argument,
                fmt::format("the area '{}' at block {} is empty or overlaps '{}', which ends at block {}",
                            area.name, area.offset, previous_name, previous_end));
        }
        previous_end = area.offset + area.count;
        previous_name = area.name;
    }
    return {};
}

} // namespace

std::string_view to_string(Slot slot) noexcept {
    return slot == Slot::a ? "a" : "b";
}

PlacedPartition const& Layout::at(std::string_view name) const {
    auto const found = std::ranges::find(partitions, name, &PlacedPartition::name);
    assert(found != partitions.end() && "parse_description() requires it");
    return *found;
}

PlacedPartition const& Layout::boot(Slot slot) const {
    return at(slot == Slot::a ? "boot_a" : "boot_b");
}

PlacedPartition const& Layout::rootfs(Slot slot) const {
    return at(slot == Slot::a ? "rootfs_a" : "rootfs_b");
}

Result<Layout> compute_layout(Description const& description) {
    auto const areas = fixed_areas(description);
    TRY_OK(check_areas(areas));
    std::uint64_t const alignment = description.disk.alignment_blocks;
    Layout layout{.core_block_offset = 1,
                  .core_block_count = areas.front().offset - 1,
                  .tried_archive_offset = description.bootloader.tried_block - std::uint64_t{1}};
    std::uint64_t next = align_up(areas.back().offset + areas.back().count, alignment);
    int primary = 1;
    int logical = first_logical_number;
    for (auto const& entry : description.disk.partitions) {
        if (entry.logical && layout.extended_block_offset == 0) {
            layout.extended_block_offset = next;
            next += alignment; // room for the extended boot records
        }
        if (!entry.logical && (layout.extended_block_offset != 0 || primary > last_primary_number)) {
            return failure(
                ErrorCode::invalid_argument,
                fmt::format("partition '{}' must be logical: there is room for two primary partitions, in "
                            "front of the logical ones",
                            entry.name));
        }
        PlacedPartition placed{.name = entry.name,
                               .number = entry.logical ? logical++ : primary++,
                               .block_offset = next,
                               .block_count = entry.size_mib * blocks_per_mib,
                               .type = entry.type,
                               .expand = entry.expand};
        next = align_up(placed.end(), alignment);
        layout.partitions.push_back(std::move(placed));
    }
    layout.total_blocks = layout.partitions.back().end();
    if (layout.total_blocks > std::numeric_limits<std::uint32_t>::max()) {
        return failure(ErrorCode::invalid_argument,
                       "the partitions need more than the 2 TiB that an MBR can describe");
    }
    if (logical > first_logical_number + 8) {
        return failure(ErrorCode::invalid_argument, "there are more than 8 logical partitions");
    }
    return layout;
}

std::string layout_markdown(Description const& description, Layout const& layout) {
    std::string text = "| # | what | first block | blocks | size | type |\n|---|---|---:|---:|---:|---|\n";
    auto const row = [&](std::string const& number, std::string const& name, std::uint64_t offset,
                         std::uint64_t count, std::string const& type) {
        auto const bytes = count * block_size_bytes;
        auto const size =
            bytes >= (1u << 20) ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} B", bytes);
        text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", number, name, offset, count, size, type);
    };
    row("", "MBR", 0, 1, "");
    row("", "bootloader", layout.core_block_offset, layout.core_block_count, "");
    for (auto const& area : fixed_areas(description)) {
        row("", area.name, area.offset, area.count, "");
    }
    bool extended_shown = false;
    for (auto const& partition : layout.partitions) {
        if (partition.number >= first_logical_number && !std::exchange(extended_shown, true)) {
            row(std::to_string(extended_number), "extended", layout.extended_block_offset,
                layout.total_blocks - layout.extended_block_offset, fmt::format("{:#04x}", extended_type));
        }
        row(std::to_string(partition.number), partition.name + (partition.expand ? " (takes the rest)" : ""),
            partition.block_offset, partition.block_count, fmt::format("{:#04x}", partition.type));
    }
    return text;
}

} // namespace sinew::system
