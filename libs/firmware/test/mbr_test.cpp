/// Partition tables, with sfdisk as the oracle.
#include "disk/mbr.hpp"
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

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

Result<MbrSpec> spec(std::string const& body) {
    Variables variables;
    TRY(auto const script, parse_script("mbr m {" + body + "}", "t", variables, {}));
    TRY(auto const config, build_config(script, Unknown::refused));
    return mbr_spec(*config.find_section("mbr", "m"));
}

std::string partition(int number, std::uint64_t offset, std::uint64_t count,
                      std::string const& more = "type = 0x83") {
    return " partition " + std::to_string(number) + " { block-offset = " + std::to_string(offset) +
           " block-count = " + std::to_string(count) + " " + more + " }";
}

std::string const with_logical = "signature = 0xdeadbeef" + partition(0, 64, 1984, "type = 0x6 boot = true") +
                                 partition(1, 2048, 4096, "type = 0xc") +
                                 " partition 3 { type = 0xf block-offset = 8192 }" +
                                 partition(4, 8448, 4096) + partition(5, 12544, 4096) +
                                 partition(6, 16640, 2048, "type = 0x83 expand = true");

void write(BlockDevice& disk, std::vector<DiskBlock> const& blocks) {
    for (auto const& block : blocks) {
        must(disk.write_at(block.number * block_size_bytes, block.bytes));
    }
}

TEST(Mbr, sfdisk_sees_what_the_script_says) {
    Workshop const workshop;
    MemoryDevice disk(Growth::fixed, 40000 * block_size_bytes);
    write(disk, must(encode_mbr(must(spec(with_logical)), std::nullopt)));
    workshop.write("disk", disk.bytes());
    auto const dump = tool({"sfdisk", "-d", workshop.text_path("disk")});
    EXPECT_THAT(dump, HasSubstr("label-id: 0xdeadbeef"));
    EXPECT_THAT(dump, HasSubstr("disk1 : start=          64, size=        1984, type=6, bootable"));
    EXPECT_THAT(dump, HasSubstr("disk2 : start=        2048, size=        4096, type=c"));
    EXPECT_THAT(dump, HasSubstr("disk4 : start=        8192, size=       10496, type=f"));
    EXPECT_THAT(dump, HasSubstr("disk5 : start=        8448, size=        4096, type=83"));
    EXPECT_THAT(dump, HasSubstr("disk6 : start=       12544, size=        4096, type=83"));
    EXPECT_THAT(dump, HasSubstr("disk7 : start=       16640, size=        2048, type=83"));
    EXPECT_THAT(tool({"sfdisk", "-V", workshop.text_path("disk")}), HasSubstr("No errors detected"));
}

TEST(Mbr, the_last_partition_expands_to_the_end_of_the_disk) {
    MemoryDevice disk(Growth::fixed, 40000 * block_size_bytes);
    write(disk, must(encode_mbr(must(spec(with_logical)), 40000)));
    auto const table = must(read_partition_table(disk));
    EXPECT_EQ(table.find(6)->block_count, 40000u - 16640u);
    EXPECT_EQ(table.find(3)->block_count, 40000u - 8192u);
    EXPECT_EQ(table.find(5)->block_count, 4096u);
}

TEST(Mbr, we_read_what_sfdisk_wrote) {
    Workshop const workshop;
    workshop.write("disk", Bytes(40000 * block_size_bytes));
    tool({"sfdisk", "-q", workshop.text_path("disk")},
         "label: dos\nlabel-id: 0x12345678\nstart=64,size=100,type=c,bootable\nstart=2048,type=f\n"
         "start=4096,size=1000,type=83\nstart=8192,size=2000,type=83\n");
    auto const disk = must(FileDevice::open(workshop.path("disk"), DeviceAccess::read_only));
    auto const table = must(read_partition_table(*disk));
    EXPECT_EQ(table.signature, 0x12345678u);
    ASSERT_EQ(table.partitions.size(), 4u);
    EXPECT_TRUE(table.find(0)->bootable);
    EXPECT_EQ(table.find(4)->block_offset, 4096u);
    EXPECT_EQ(table.starting_at(8192)->number, 5);
    EXPECT_EQ(table.starting_at(2048), nullptr) << "the extended partition is no slot";
}

TEST(Mbr, cylinders_are_left_out_where_they_do_not_fit) {
    auto const blocks =
        must(encode_mbr(must(spec(partition(0, 63, 16065) + partition(1, 20'000'000, 10))), std::nullopt));
    auto const& sector = blocks.back().bytes;
    EXPECT_EQ(to_hex(BytesView(sector).subspan(446, 16)), "0001010083003f013f000000c13e0000");
    EXPECT_EQ(to_hex(BytesView(sector).subspan(462, 8)), "0000000083000000");
}

struct BadTable {
    std::string body;
    std::string error;
};

class BadTables : public ::testing::TestWithParam<BadTable> {};

TEST_P(BadTables, are_refused) {
    EXPECT_THAT(message_of(spec(GetParam().body)), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Mbr, BadTables,
    ::testing::Values(
        BadTable{"", "empty"},
        BadTable{partition(0, 10, 10) + partition(1, 19, 5), "partitions 0 and 1 overlap"},
        BadTable{partition(12, 10, 10), "must be numbered"},
        BadTable{"partition 0 { type = 1 }", "block-offset must be given"},
        BadTable{"partition 0 { type = 1 block-offset = 1 }", "block-count must be given"},
        BadTable{"partition 0 { block-offset = 1 block-count = 1 }", "type must be given"},
        BadTable{partition(0, 4294967295, 1), "less than 2^32 - 1"},
        BadTable{partition(4, 10, 10), "no partition 3"},
        BadTable{partition(3, 10, 10) + partition(4, 12, 5), "partition 3 must be of type 0x0f"},
        BadTable{"partition 3 { type = 0xf block-offset = 10 }" + partition(4, 10, 5),
                 "must begin at block 11 or later"},
        BadTable{"partition 3 { type = 0xf block-offset = 10 }" + partition(4, 20, 5) + partition(5, 24, 5),
                 "partitions 4 and 5 overlap"},
        BadTable{partition(0, 100, 10) + " partition 3 { type = 0xf block-offset = 10 }" +
                     partition(4, 20, 100),
                 "partitions 0 and 3 overlap"},
        BadTable{partition(0, 10, 10, "type = 1 expand = true") + partition(1, 30, 5),
                 "only the last partition"},
        BadTable{"signature = 0x123456789" + partition(0, 1, 1), "32-bit"},
        BadTable{"bootstrap-code = 00" + partition(0, 1, 1), "exactly 440 bytes"}));

TEST(PartitionTable, a_chain_that_leads_astray_is_refused) {
    MemoryDevice disk(Growth::fixed, 40000 * block_size_bytes);
    write(disk, must(encode_mbr(must(spec(with_logical)), std::nullopt)));
    auto ebr = bytes_at(disk, 8192, block_size_bytes);
    store_le32(ebr, 446 + 16 + 8, 0); // back to itself
    must(disk.write_at(8192 * block_size_bytes, ebr));
    EXPECT_THAT(message_of(read_partition_table(disk)), HasSubstr("astray"));
    MemoryDevice blank;
    EXPECT_THAT(message_of(read_partition_table(blank)), HasSubstr("isn't partitioned"));
}

} // namespace

} // namespace sinew::firmware::test
