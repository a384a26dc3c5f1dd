/// The kernel's settings, with a folder in place of /proc/sys.
#include "log.hpp"
#include "sysctl.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sinew::init {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KernelSettings, are_lines_with_a_key_and_a_value) {
    EXPECT_THAT(parse_kernel_settings(
                    "# ours\n; theirs\n\nkernel.kptr_restrict=2\n net.ipv4.conf.*.rp_filter = 1 \nword\n"),
                ElementsAre(KernelSetting{"kernel/kptr_restrict", "2"},
                            KernelSetting{"net/ipv4/conf/*/rp_filter", "1"}));
}

TEST(KernelSettings, lead_nowhere_else) {
    EXPECT_THAT(
        parse_kernel_settings("../../etc/passwd = x\n..a = 1\n/etc/passwd = x\n.a = 1\na..b = 1\n= 1\n"),
        IsEmpty());
}

TEST(KernelSettings, are_written_where_the_kernel_has_them) {
    auto const folder = TemporaryDirectory::create().value();
    auto const put = [&](std::string const& name) {
        std::filesystem::create_directories((folder.path() / name).parent_path());
        ASSERT_TRUE(write_file_atomically(folder.path() / name, as_bytes("0\n")));
    };
    auto const value_of = [&](std::string const& name) {
        return read_text_file(folder.path() / name).value_or("none");
    };
    put("kernel/kptr_restrict");
    put("net/ipv4/conf/all/rp_filter");
    put("net/ipv4/conf/eth0/rp_filter");
    Log log;
    apply_kernel_settings(parse_kernel_settings("kernel.kptr_restrict = 2\nkernel.of_another_kernel = 1\n"
                                                "net.ipv4.conf.*.rp_filter = 1\n"),
                          folder.path(), log);
    EXPECT_EQ(value_of("kernel/kptr_restrict").front(), '2');
    EXPECT_EQ(value_of("net/ipv4/conf/all/rp_filter").front(), '1');
    EXPECT_EQ(value_of("net/ipv4/conf/eth0/rp_filter").front(), '1');
    EXPECT_EQ(value_of("kernel/of_another_kernel"), "none");
}

} // namespace
} // namespace sinew::init
