/// GUID partition tables, with sfdisk as the oracle for the reader; sgdisk checks the writer in test/spec.
#include "disk/gpt.hpp"
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t disk_blocks = 8192;

Result<GptSpec> spec(std::string const& body) {
    Variables variables;
    TRY(auto const script, parse_script("gpt g {" + body + "}", "t", variables, {}));
    TRY(auto const config, build_config(script, Unknown::refused));
    return gpt_spec(*config.find_section("gpt", "g"));
}

std::string partition(int number, std::uint64_t offset, std::uint64_t count, std::string const& more = "") {
    return " partition " + std::to_string(number) + " { block-offset = " + std::to_string(offset) +
           " block-count = " + std::to_string(count) +
           " type = 0fc63daf-8483-4772-8e79-3d69d8477de4 guid = 5278721d-0089-4768-85df-b8f1b97e6684 " +
           more + " }";
}

std::string const two = "guid = b443fbeb-2c93-481b-88b3-0ecb0aeba911" + partition(0, 64, 100) +
                        partition(3, 256, 1000, "name = r");

MemoryDevice& write(MemoryDevice& disk, GptSpec const& table) {
    for (auto const& block : must(encode_gpt(table, disk_blocks))) {
        must(disk.write_at(block.number * block_size_bytes, block.bytes));
    }
    return disk;
}

TEST(Gpt, we_read_what_we_wrote) {
    MemoryDevice disk(Growth::fixed, disk_blocks * block_size_bytes);
    auto const table = must(read_partition_table(write(disk, must(spec(two)))));
    EXPECT_EQ(table.kind, PartitionTableKind::gpt);
    ASSERT_EQ(table.partitions.size(), 2u);
    EXPECT_EQ(table.find(3)->block_offset, 256u);
    EXPECT_EQ(table.find(3)->block_count, 1000u);
    EXPECT_EQ(table.find(3)->type_guid, "0fc63daf-8483-4772-8e79-3d69d8477de4");
    EXPECT_EQ(table.starting_at(64)->number, 0);
}

TEST(Gpt, we_read_what_sfdisk_wrote) {
    Workshop const workshop;
    workshop.write("disk", Bytes(disk_blocks * block_size_bytes));
    tool({"sfdisk", workshop.text_path("disk")}, "label: gpt\nstart=2048, size=1000\nstart=4096, size=100\n");
    auto const disk = must(FileDevice::open(workshop.path("disk"), DeviceAccess::read_only));
    auto const table = must(read_partition_table(*disk));
    ASSERT_EQ(table.partitions.size(), 2u);
    EXPECT_EQ(table.find(1)->block_offset, 4096u);
    EXPECT_EQ(table.find(1)->block_count, 100u);
}

TEST(Gpt, the_second_table_helps_out) {
    MemoryDevice disk(Growth::fixed, disk_blocks * block_size_bytes);
    write(disk, must(spec(two)));
    must(disk.write_at(block_size_bytes, Bytes(33 * block_size_bytes)));
    EXPECT_EQ(must(read_partition_table(disk)).partitions.size(), 2u);
    must(disk.write_at((disk_blocks - 1) * block_size_bytes, Bytes(block_size_bytes)));
    EXPECT_THAT(message_of(read_partition_table(disk)), HasSubstr("the GPT at block 8191 is missing"));
}

TEST(Gpt, a_flipped_bit_in_the_entries_is_found) {
    MemoryDevice disk(Growth::fixed, disk_blocks * block_size_bytes);
    write(disk, must(spec(two)));
    for (auto const block : {std::uint64_t{2}, disk_blocks - 33}) {
        must(disk.write_at(block * block_size_bytes, Bytes(block_size_bytes)));
    }
    EXPECT_THAT(message_of(read_partition_table(disk)), HasSubstr("has damaged entries"));
}

TEST(Gpt, overlaps_and_a_growing_partition_in_the_middle_are_errors) {
    EXPECT_EQ(message_of(spec("guid = b443fbeb-2c93-481b-88b3-0ecb0aeba911" + partition(0, 64, 100) +
                              partition(1, 163, 10))),
              "partitions 0 and 1 overlap");
    EXPECT_THAT(message_of(spec("guid = b443fbeb-2c93-481b-88b3-0ecb0aeba911" +
                                partition(0, 64, 100, "expand = true") + partition(1, 164, 10))),
                HasSubstr("only the last partition on the disk can expand, and that is 1"));
}

TEST(Gpt, flags_with_boot) {
    EXPECT_EQ(gpt_flags_with_boot(""), "0x4");
    EXPECT_EQ(gpt_flags_with_boot("0x10"), "0x14");
    EXPECT_EQ(gpt_flags_with_boot("x"), std::nullopt);
}

} // namespace

} // namespace sinew::firmware::test
