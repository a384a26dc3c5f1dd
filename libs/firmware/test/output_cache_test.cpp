/// The output cache: order, streaming, protection, trimming, bounded memory.
#include "disk/output_cache.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint64_t disk_bytes = 8u << 20;
constexpr std::size_t segment = OutputCache::segment_bytes;

class Cache : public ::testing::Test {
protected:
    PowerCutDisk m_disk{Bytes(disk_bytes, std::byte{0xAA}), PowerCutDisk::never};
    OutputCache m_cache{m_disk, 8};
    void put(std::uint64_t block, std::size_t blocks = 1, std::byte value = std::byte{1}) {
        must(m_cache.write_at(block * block_size_bytes, Bytes(blocks * block_size_bytes, value)));
    }
};

TEST_F(Cache, small_writes_wait_and_go_out_in_the_order_of_their_last_touch) {
    put(10);
    must(m_cache.barrier());
    put(20, 2);
    must(m_cache.barrier());
    put(10, 1, std::byte{2}); // touched again: now after 20
    EXPECT_EQ(m_disk.write_count(), 0u);
    must(m_cache.flush());
    EXPECT_THAT(m_disk.batches(),
                ElementsAre(ElementsAre(Pair(20, 21)), ElementsAre(Pair(10, 10)), IsEmpty()));
    EXPECT_EQ(bytes_at(m_disk, 10, 1)[0], std::byte{2});
}

TEST_F(Cache, what_one_touch_wrote_goes_out_together) {
    put(1);
    put(2);
    put(9);
    must(m_cache.flush());
    EXPECT_THAT(m_disk.batches(), ElementsAre(ElementsAre(Pair(1, 2), Pair(9, 9)), IsEmpty()));
}

TEST_F(Cache, neighbours_in_a_segment_are_not_written_with_it) {
    put(100);
    must(m_cache.flush());
    EXPECT_EQ(m_cache.bytes_out(), block_size_bytes);
    EXPECT_EQ(bytes_at(m_disk, 99, 1)[0], std::byte{0xAA});
}

TEST_F(Cache, whole_segments_stream_out_at_once_and_before_everything_kept) {
    put(0);
    must(m_cache.barrier());
    must(m_cache.stream(segment, Bytes(segment + block_size_bytes, std::byte{7})));
    EXPECT_EQ(m_disk.write_count(), 1u) << "one segment; its tail waits";
    must(m_cache.flush());
    EXPECT_THAT(m_disk.batches(), ElementsAre(ElementsAre(Pair(256, 511)), ElementsAre(Pair(0, 0)),
                                              ElementsAre(Pair(512, 512)), IsEmpty()));
}

TEST_F(Cache, reads_see_what_was_written_and_the_disk_around_it) {
    put(5);
    auto const bytes = bytes_at(m_cache, 4, 3 * block_size_bytes);
    EXPECT_EQ(bytes[0], std::byte{0xAA});
    EXPECT_EQ(bytes[block_size_bytes], std::byte{1});
    EXPECT_EQ(bytes[2 * block_size_bytes], std::byte{0xAA});
}

TEST_F(Cache, when_it_is_full_the_oldest_goes_first_and_the_order_holds) {
    for (std::uint64_t i = 0; i < 20; ++i) { // 20 segments, 8 fit
        put(i * OutputCache::sectors_per_segment);
        must(m_cache.barrier());
    }
    EXPECT_GT(m_disk.write_count(), 0u);
    must(m_cache.flush());
    ASSERT_EQ(m_disk.batches().size(), 21u);
    for (std::uint64_t i = 0; i < 20; ++i) {
        EXPECT_THAT(m_disk.batches()[i], ElementsAre(Pair(i * 256, i * 256)));
    }
}

TEST_F(Cache, what_is_kept_back_may_fill_it) {
    std::set<std::uint64_t> held;
    for (std::uint64_t i = 0; i < 8; ++i) { // as many as fit
        put(i * OutputCache::sectors_per_segment);
        held.insert(i * OutputCache::sectors_per_segment);
    }
    must(m_cache.flush_all_but(held));
    put(20 * OutputCache::sectors_per_segment);
    must(m_cache.barrier());
    put(21 * OutputCache::sectors_per_segment);
    must(m_cache.flush());
    ASSERT_EQ(m_disk.batches().size(), 4u);
    EXPECT_THAT(m_disk.batches()[0], ElementsAre(Pair(20 * 256, 20 * 256)));
    EXPECT_EQ(m_disk.batches()[2].size(), 8u);
}

TEST_F(Cache, what_was_read_makes_room_before_what_waits) {
    put(3);
    for (std::uint64_t i = 1; i < 60; ++i) {
        (void)bytes_at(m_cache, i * OutputCache::sectors_per_segment, 1);
    }
    EXPECT_EQ(m_disk.write_count(), 0u);
    must(m_cache.flush());
    EXPECT_EQ(m_cache.bytes_out(), block_size_bytes);
}

TEST_F(Cache, a_sector_that_was_touched_often_goes_out_once) {
    for (std::uint64_t i = 0; i < 300; ++i) {
        put(i % 7 * 300);
        must(m_cache.barrier());
    }
    must(m_cache.flush());
    EXPECT_EQ(m_disk.write_count(), 7u);
}

TEST_F(Cache, a_protected_range_is_never_written) {
    m_cache.protect(100, 50, "somebody lives there");
    EXPECT_EQ(message_of(m_cache.write_at(99 * block_size_bytes, Bytes(2 * block_size_bytes))),
              "refused to write to block 99 of power-cut disk: somebody lives there");
    EXPECT_FALSE(m_cache.stream(149 * block_size_bytes, Bytes(block_size_bytes)));
    EXPECT_FALSE(m_cache.trim(0, 1000, MediumTrim::off));
    put(99);
    put(150);
}

TEST_F(Cache, the_end_of_the_disk_is_an_error_before_anything_is_kept) {
    EXPECT_THAT(message_of(m_cache.write_at(disk_bytes, Bytes(block_size_bytes))),
                HasSubstr("use a larger disk"));
    EXPECT_FALSE(m_cache.write_at(UINT64_MAX - 511, Bytes(block_size_bytes)));
}

TEST_F(Cache, a_trimmed_segment_reads_as_zeros_and_is_zero_around_what_is_written_later) {
    must(m_cache.trim(100, 600, MediumTrim::off)); // inward: only segment 1 is whole
    EXPECT_EQ(bytes_at(m_cache, 100, 1)[0], std::byte{0xAA});
    EXPECT_EQ(bytes_at(m_cache, 300, 1)[0], std::byte{0});
    EXPECT_EQ(bytes_at(m_cache, 600, 1)[0], std::byte{0xAA});
    put(300);
    must(m_cache.flush());
    EXPECT_EQ(bytes_at(m_disk, 299, 1)[0], std::byte{0});
    EXPECT_EQ(bytes_at(m_disk, 300, 1)[0], std::byte{1});
    EXPECT_EQ(bytes_at(m_disk, 511, 1)[0], std::byte{0});
    EXPECT_EQ(bytes_at(m_disk, 512, 1)[0], std::byte{0xAA});
}

TEST_F(Cache, what_is_dropped_never_reaches_the_disk) {
    put(1);
    m_cache.drop();
    must(m_cache.flush());
    EXPECT_EQ(m_disk.write_count(), 0u);
    EXPECT_EQ(bytes_at(m_cache, 1, 1)[0], std::byte{0xAA});
}

TEST(OutputCache, an_image_file_grows_in_whole_segments) {
    MemoryDevice image;
    OutputCache cache(image, 8);
    must(cache.write_at(300 * block_size_bytes, Bytes(block_size_bytes)));
    must(cache.flush());
    EXPECT_EQ(image.size_bytes(), 2 * segment);
}

} // namespace

} // namespace sinew::firmware::test
