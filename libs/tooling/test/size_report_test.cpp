#include <sinew/tooling/firmware_build.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sinew::tooling {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FirmwareBuild example() {
    FirmwareBuild build;
    build.report.resources = {{"core.img", 40'000, 30'000},
                              {"rootfs.img", 9'000'000, 8'900'000},
                              {"state-a", 512, 90},
                              {"state-b", 512, 90},
                              {"vmlinuz", 8'000'000, 7'950'000}};
    build.report.archive_bytes = 16'890'000;
    build.rootfs_parts = {{"kernel modules", 6'000'000}, {"busybox", 800'000}};
    return build;
}

TEST(SizeReport, lists_the_largest_part_first_and_tiny_ones_together) {
    auto const lines = size_lines(example().report);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].name, "rootfs.img");
    EXPECT_EQ(lines[1].name, "vmlinuz");
    EXPECT_EQ(lines[3].name, "scripts and boot state");
    EXPECT_EQ(lines[3].size_bytes, 1024u);
    EXPECT_EQ(lines[3].compressed_bytes, 180u);
}

TEST(SizeReport, adds_up_to_the_archive) {
    std::string const text = format_size_report(example());
    EXPECT_THAT(text, HasSubstr("9.00 MB    8.90 MB   52.7 %"));
    EXPECT_THAT(text, HasSubstr("metadata and signature"));
    EXPECT_THAT(text, HasSubstr("9.82 kB")) << text; // 16.89 MB less the parts
    EXPECT_THAT(text, HasSubstr("total                         17.0 MB    16.9 MB"));
    EXPECT_THAT(text, HasSubstr("kernel modules"));
    EXPECT_THAT(text, Not(HasSubstr("everything else")));
}

TEST(SizeReport, sums_what_is_beyond_the_largest_parts) {
    FirmwareBuild build = example();
    build.rootfs_parts.assign(20, {"part", 1'000'000});
    EXPECT_THAT(format_size_report(build), HasSubstr("everything else               8.00 MB"));
}

} // namespace
} // namespace sinew::tooling
