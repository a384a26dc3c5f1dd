/// The cpio writer, read back by cpio itself.
#include "cpio.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;

Bytes sample(std::uint32_t time) {
    CpioArchive archive(time);
    archive.add_file("etc/sinew/init.toml", as_bytes("a = 1\n"), 0640);
    archive.add_file("init", as_bytes("program"), 0755);
    archive.add_device("dev/console", 0600, 5, 1);
    archive.add_link("bin", "usr/bin");
    return std::move(archive).finish();
}

TEST(Cpio, cpio_lists_what_was_put_in_with_modes_owners_and_devices) {
    auto const listing = run_checked({"cpio", "-itv", "--numeric-uid-gid", "--quiet"},
                                     {.input = std::string(as_text(sample(0)))});
    ASSERT_TRUE(listing) << listing.error().message();
    EXPECT_THAT(*listing, HasSubstr("-rw-r-----   1 0        0               6"));
    EXPECT_THAT(*listing, HasSubstr("etc/sinew/init.toml"));
    EXPECT_THAT(*listing, HasSubstr("-rwxr-xr-x   1 0        0               7"));
    EXPECT_THAT(*listing, HasSubstr("crw-------   1 0        0          5,   1"));
    EXPECT_THAT(*listing, HasSubstr("bin -> usr/bin"));
    EXPECT_THAT(*listing, HasSubstr("drwxr-xr-x   2 0        0               0"));
}

TEST(Cpio, contents_come_back_as_they_were) {
    auto const folder = TemporaryDirectory::create();
    ASSERT_TRUE(folder);
    ASSERT_TRUE(run_checked({"cpio", "-id", "--quiet", "etc/sinew/init.toml"},
                            {.working_directory = folder->path(), .input = std::string(as_text(sample(0)))}));
    auto const text = read_text_file(folder->path() / "etc/sinew/init.toml");
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, "a = 1\n");
}

TEST(Cpio, a_folder_on_the_way_is_there_once) {
    CpioArchive archive(0);
    archive.add_file("a/b/one", {}, 0644);
    archive.add_file("a/b/two", {}, 0644);
    auto const listing =
        run_checked({"cpio", "-it", "--quiet"}, {.input = std::string(as_text(std::move(archive).finish()))});
    ASSERT_TRUE(listing);
    EXPECT_EQ(*listing, "a\na/b\na/b/one\na/b/two\n");
}

TEST(Cpio, the_same_entries_and_time_give_the_same_bytes) {
    EXPECT_EQ(sample(7), sample(7));
    EXPECT_NE(sample(7), sample(8));
}

} // namespace
} // namespace sinew::system
