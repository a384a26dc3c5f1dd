/// What counts as proof that a partition holds nothing, and what doesn't.
#include "memory_partition.hpp"
#include "partition_content.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>

namespace sinew::init {
namespace {

using testing::ElementsAre;

TEST(PartitionContentOf, a_marked_partition_is_without_content_whatever_else_is_in_it) {
    MemoryPartition partition;
    partition.put_superblocks(1, 5);
    partition.mark();
    EXPECT_EQ(partition.probe(), PartitionContent::marked);
}

TEST(PartitionContentOf, a_uniform_start_alone_proves_nothing) {
    MemoryPartition partition;
    partition.put_superblocks(1, 5);
    for (auto const value : {std::byte{0xff}, std::byte{0}}) {
        partition.fill_start(value);
        auto const probe = probe_partition(partition).value();
        EXPECT_EQ(probe.content, PartitionContent::superblock_copy);
        EXPECT_THAT(probe.copies, ElementsAre(SuperblockCopy{.block = 8193, .block_size_bytes = 1024}));
    }
}

TEST(PartitionContentOf, copies_are_found_for_every_size_of_blocks) {
    MemoryPartition partition;
    partition.content.resize(40u << 20);
    partition.fill_start(std::byte{0xff});
    auto const group_1 = 16384u * 2048;
    store_le32(partition.content, group_1 + 24, 1);
    store_le16(partition.content, group_1 + 56, 0xEF53);
    store_le16(partition.content, group_1 + 90, 1);
    EXPECT_THAT(probe_partition(partition).value().copies,
                ElementsAre(SuperblockCopy{.block = 16384, .block_size_bytes = 2048}));
}

TEST(PartitionContentOf, a_partition_that_was_never_used_is_empty) {
    MemoryPartition partition;
    EXPECT_EQ(partition.probe(), PartitionContent::empty);
    partition.fill_start(std::byte{0xff});
    EXPECT_EQ(partition.probe(), PartitionContent::empty);
}

TEST(PartitionContentOf, whatever_is_not_understood_is_unknown_and_never_empty) {
    MemoryPartition partition;
    partition.fill_start(std::byte{0x55});
    EXPECT_EQ(partition.probe(), PartitionContent::unknown);
    for (auto const at : {100'000u, 5u << 20}) {
        partition.fill_start(std::byte{0});
        partition.content[at] = std::byte{1};
        EXPECT_EQ(partition.probe(), PartitionContent::unknown) << at;
        partition.content[at] = std::byte{0};
    }
}

TEST(PartitionContentOf, what_cannot_be_read_proves_nothing) {
    for (std::uint64_t const at : {0u, 1500u, 100'000u, 8193u * 1024u}) {
        MemoryPartition partition;
        partition.unreadable_at = at;
        EXPECT_FALSE(probe_partition(partition)) << at;
    }
    MemoryPartition small;
    small.content.resize(4096);
    EXPECT_FALSE(probe_partition(small));
}

TEST(PartitionContentOf, a_superblock_is_known_by_its_magic_and_tells_of_errors) {
    MemoryPartition partition;
    partition.put_superblocks(1, 5);
    EXPECT_EQ(partition.probe(), PartitionContent::file_system);
    partition.put_superblocks(3, 5);
    EXPECT_EQ(partition.probe(), PartitionContent::file_system_with_errors);
}

TEST(Formatting, one_that_is_cut_off_anywhere_is_begun_anew) {
    for (int writes = 0; writes < 4; ++writes) {
        MemoryPartition partition;
        partition.put_superblocks(1, 5); // Of the file system that factory-reset has given up.
        partition.mark();
        partition.writes_left = writes;
        (void)begin_format(partition);
        EXPECT_EQ(partition.probe(), PartitionContent::marked) << writes;
        partition.put_superblocks(1, 0); // mke2fs, all of it or nearly.
        bool const ended = partition.writes_left > 0 && end_format(partition);
        EXPECT_EQ(partition.probe(),
                  ended || writes == 0 ? PartitionContent::file_system : PartitionContent::marked)
            << writes;
    }
}

TEST(Formatting, no_superblock_of_before_is_left_to_be_taken_for_data) {
    MemoryPartition partition;
    partition.put_superblocks(1, 5);
    partition.mark();
    ASSERT_TRUE(begin_format(partition));
    EXPECT_TRUE(find_superblock_copies(partition).value().empty());
}

TEST(Formatting, a_mark_that_outlived_the_first_mount_is_not_believed) {
    MemoryPartition partition;
    partition.mark();
    ASSERT_TRUE(begin_format(partition));
    partition.put_superblocks(1, 1);
    EXPECT_EQ(partition.probe(), PartitionContent::file_system);
}

} // namespace
} // namespace sinew::init
