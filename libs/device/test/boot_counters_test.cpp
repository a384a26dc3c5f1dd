/// The block that bootloader and running system share.
#include <sinew/base/bytes.hpp>
#include <sinew/device/boot_counters.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sinew::device {
namespace {

using ::testing::StartsWith;

TEST(BootCounters, they_fill_a_block_and_are_read_back_the_same) {
    BootCounters const counters{.tried = false,
                                .starts = 3,
                                .runs = 6,
                                .slot_a = SlotWorth::good,
                                .slot_b = SlotWorth::unproven,
                                .active = "b"};
    auto const block = format_boot_counters(counters);
    EXPECT_EQ(block.size(), grub_block_bytes);
    EXPECT_THAT(block, StartsWith("# GRUB Environment Block\ntried=0\nstarts=3\nruns=6\nslot_a=good\n"));
    EXPECT_EQ(parse_boot_counters(as_bytes(block)), counters);
}

TEST(BootCounters, what_an_older_system_wrote_counts_as_zero) {
    auto const old = format_grub_block({{"tried", "1"}});
    EXPECT_EQ(parse_boot_counters(as_bytes(old)), BootCounters{});
}

TEST(BootCounters, nonsense_in_a_readable_block_counts_as_zero_or_none) {
    auto const block = format_grub_block(
        {{"tried", "x"}, {"starts", "-1"}, {"runs", "999"}, {"slot_a", "better"}, {"active", "c"}});
    EXPECT_EQ(parse_boot_counters(as_bytes(block)), (BootCounters{.runs = most_runs}));
}

TEST(BootCounters, a_block_that_an_update_has_made_unreadable_has_none) {
    EXPECT_FALSE(parse_boot_counters(Bytes(grub_block_bytes, std::byte{0xff})));
    EXPECT_FALSE(parse_boot_counters({}));
    EXPECT_FALSE(parse_boot_counters(as_bytes(format_grub_block({{"slot", "a"}}))));
}

TEST(BootCounters, every_third_start_in_vain_is_a_careful_one) {
    EXPECT_FALSE(is_careful_start(0));
    EXPECT_FALSE(is_careful_start(1));
    EXPECT_TRUE(is_careful_start(3));
    EXPECT_FALSE(is_careful_start(4));
    EXPECT_TRUE(is_careful_start(most_starts));
}

} // namespace
} // namespace sinew::device
