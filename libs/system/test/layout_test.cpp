/// Where partitions come to lie.
#include "support.hpp"

#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;

TEST(Layout, partitions_follow_each_other_aligned_and_without_overlap) {
    auto const description = description_of(x86_64_text());
    auto const layout = layout_of(description);
    ASSERT_EQ(layout.partitions.size(), description.disk.partitions.size());
    std::uint64_t previous_end =
        description.environment.redundant_block + description.environment.block_count;
    for (auto const& partition : layout.partitions) {
        EXPECT_GE(partition.block_offset, previous_end) << partition.name;
        EXPECT_EQ(partition.block_offset % description.disk.alignment_blocks, 0u) << partition.name;
        previous_end = partition.end();
    }
    EXPECT_EQ(layout.total_blocks, previous_end);
}

TEST(Layout, logical_partitions_count_from_five_and_leave_room_for_their_boot_records) {
    auto const layout = layout_of(description_of(x86_64_text()));
    EXPECT_EQ(layout.at("boot_a").number, 1);
    EXPECT_EQ(layout.at("boot_b").number, 2);
    EXPECT_EQ(layout.at("rootfs_a").number, 5);
    EXPECT_EQ(layout.at("data").number, 7);
    EXPECT_GE(layout.at("rootfs_a").block_offset, layout.extended_block_offset + 3);
    EXPECT_GE(layout.extended_block_offset, layout.at("boot_b").end());
}

TEST(Layout, the_core_image_ends_before_the_boot_state) {
    auto const description = description_of(x86_64_text());
    auto const layout = layout_of(description);
    EXPECT_EQ(layout.core_block_offset + layout.core_block_count, description.bootloader.state_block);
}

TEST(Layout, overlapping_areas_are_named) {
    auto const result = compute_layout(
        description_of(replaced(x86_64_text(), "redundant_block = 2064", "redundant_block = 2050")));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("environment, copy"));
}

TEST(Layout, a_third_primary_partition_is_refused) {
    auto const result = compute_layout(
        description_of(replaced(x86_64_text(), "name = \"rootfs_a\"\nsize_mib = 64\nlogical = true",
                                "name = \"rootfs_a\"\nsize_mib = 64\nlogical = false")));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("rootfs_a"));
}

TEST(Layout, the_table_for_the_documentation_names_every_partition_with_its_blocks) {
    auto const description = description_of(x86_64_text());
    auto const layout = layout_of(description);
    auto const table = layout_markdown(description, layout);
    for (auto const& partition : layout.partitions) {
        EXPECT_THAT(table, HasSubstr(partition.name));
        EXPECT_THAT(table, HasSubstr("| " + std::to_string(partition.block_offset) + " | " +
                                     std::to_string(partition.block_count) + " |"));
    }
}

} // namespace
} // namespace sinew::system
