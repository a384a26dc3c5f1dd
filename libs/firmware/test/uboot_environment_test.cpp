/// The U-Boot environment, with U-Boot's own tools as oracles.
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

constexpr std::size_t size = 8192;
EnvironmentLayout const single{.block_offset = 2, .block_count = 16, .redundant_block_offset = std::nullopt};
EnvironmentLayout const redundant{.block_offset = 2, .block_count = 16, .redundant_block_offset = 20};

void damage(MemoryDevice& disk, std::uint64_t block) {
    auto sector = bytes_at(disk, block, block_size_bytes);
    sector[100] ^= std::byte{1};
    must(disk.write_at(block * block_size_bytes, sector));
}

TEST(UbootEnvironment, is_the_one_mkenvimage_makes) {
    Workshop const workshop;
    workshop.write("env.txt", "a=1\nb=some text = with equals\nbootcmd=run x; run y\n");
    std::map<std::string, std::string> const variables{
        {"bootcmd", "run x; run y"}, {"b", "some text = with equals"}, {"a", "1"}};
    tool({"mkenvimage", "-s", "8192", "-o", workshop.text_path("one"), workshop.text_path("env.txt")});
    EXPECT_EQ(must(encode_environment(variables, size, std::nullopt)), workshop.read("one"));
    tool({"mkenvimage", "-r", "-s", "8192", "-o", workshop.text_path("two"), workshop.text_path("env.txt")});
    auto const decoded = must(decode_environment(workshop.read("two"), EnvironmentFlag::present));
    EXPECT_EQ(decoded.variables, variables);
    EXPECT_EQ(must(encode_environment(variables, size, decoded.flag)), workshop.read("two"));
}

TEST(UbootEnvironment, fw_printenv_reads_the_newer_copy_we_wrote) {
    Workshop const workshop;
    MemoryDevice disk;
    UbootEnvironment fresh(redundant);
    must(fresh.set("slot", "a"));
    must(fresh.save(disk));
    auto again = must(UbootEnvironment::load(disk, redundant));
    must(again.set("slot", "b"));
    must(again.save(disk));
    workshop.write("disk", disk.bytes());
    workshop.write("config", workshop.text_path("disk") + " 0x400 0x2000\n" + workshop.text_path("disk") +
                                 " 0x2800 0x2000\n");
    EXPECT_THAT(tool({"fw_printenv", "-c", workshop.text_path("config"), "slot"}), HasSubstr("slot=b"));
}

TEST(UbootEnvironment, we_read_what_fw_setenv_wrote) {
    Workshop const workshop;
    MemoryDevice disk;
    UbootEnvironment fresh(redundant);
    must(fresh.save(disk));
    workshop.write("disk", disk.bytes());
    workshop.write("config", workshop.text_path("disk") + " 0x400 0x2000\n" + workshop.text_path("disk") +
                                 " 0x2800 0x2000\n");
    tool({"fw_setenv", "-c", workshop.text_path("config"), "from", "uboot"});
    auto const device = must(FileDevice::open(workshop.path("disk"), DeviceAccess::read_only));
    EXPECT_EQ(must(UbootEnvironment::load(*device, redundant)).get("from"), "uboot");
}

TEST(UbootEnvironment, a_torn_write_leaves_the_other_copy) {
    MemoryDevice disk;
    UbootEnvironment environment(redundant);
    must(environment.set("n", "0"));
    must(environment.save(disk));
    for (int n = 1; n < 600; ++n) { // the counter wraps at 256
        auto loaded = must(UbootEnvironment::load(disk, redundant));
        EXPECT_EQ(loaded.get("n"), std::to_string(n - 1));
        must(loaded.set("n", std::to_string(n)));
        must(loaded.save(disk));
    }
    auto const newest = must(UbootEnvironment::load(disk, redundant));
    EXPECT_EQ(newest.get("n"), "599");
    MemoryDevice torn;
    must(torn.write_at(0, disk.bytes()));
    damage(torn, 2);
    auto const first = must(UbootEnvironment::load(torn, redundant)).get("n");
    MemoryDevice other;
    must(other.write_at(0, disk.bytes()));
    damage(other, 20);
    auto const second = must(UbootEnvironment::load(other, redundant)).get("n");
    EXPECT_THAT((std::set{*first, *second}), ::testing::ElementsAre("598", "599"));
    damage(torn, 20);
    EXPECT_EQ(UbootEnvironment::load(torn, redundant).error().code(), ErrorCode::corrupt);
}

TEST(UbootEnvironment, what_does_not_fit_is_refused) {
    EnvironmentLayout const tiny{.block_offset = 0, .block_count = 1, .redundant_block_offset = std::nullopt};
    MemoryDevice disk;
    UbootEnvironment environment(tiny);
    must(environment.set("x", std::string(505, 'x'))); // 4 + "x=" + 505 + NUL + NUL = 513
    EXPECT_EQ(environment.save(disk).error().code(), ErrorCode::no_space);
    must(environment.set("x", std::string(504, 'x')));
    must(environment.save(disk));
    EXPECT_EQ(must(UbootEnvironment::load(disk, tiny)).get("x")->size(), 504u);
}

TEST(UbootEnvironment, names_and_values_that_would_break_it_are_refused) {
    UbootEnvironment environment(single);
    EXPECT_FALSE(environment.set("", "x"));
    EXPECT_FALSE(environment.set("a=b", "x"));
    EXPECT_FALSE(environment.set("a", std::string("x\0y", 3)));
}

TEST(UbootEnvironment, garbage_with_a_good_checksum_is_still_checked) {
    auto bytes = must(encode_environment({{"a", "1"}}, size, std::nullopt));
    EXPECT_TRUE(decode_environment(bytes, EnvironmentFlag::absent));
    bytes[5] = std::byte{'x'};
    EXPECT_FALSE(decode_environment(bytes, EnvironmentFlag::absent));
    EXPECT_FALSE(decode_environment({}, EnvironmentFlag::absent));
    EXPECT_FALSE(decode_environment(BytesView(bytes).first(5), EnvironmentFlag::present));
}

} // namespace

} // namespace sinew::firmware::test
