/// Trees: links stay inside, layers are laid over each other, the cache is never written through a hard link.
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sinew::system {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class Tree : public ::testing::Test {
protected:
    TemporaryDirectory m_folder = *TemporaryDirectory::create();
    fs::path m_one = m_folder.path() / "one";
    fs::path m_two = m_folder.path() / "two";

    void SetUp() override {
        fs::create_directories(m_one);
        fs::create_directories(m_two);
    }
    static void put(fs::path const& file, std::string const& text) {
        fs::create_directories(file.parent_path());
        ASSERT_TRUE(write_file_atomically(file, as_bytes(text)));
    }
    static std::string get(fs::path const& file) {
        auto const text = read_text_file(file);
        return text ? *text : text.error().message();
    }
};

TEST_F(Tree, absolute_links_and_dot_dot_stay_inside) {
    put(m_one / "usr/bin/tool", "x");
    fs::create_symlink("/usr/bin", m_one / "bin");
    fs::create_symlink("../../../../../../usr/bin/tool", m_one / "usr/link");
    EXPECT_EQ(*resolve_in(m_one, "bin/tool"), "usr/bin/tool");
    EXPECT_EQ(*resolve_in(m_one, "usr/link"), "usr/bin/tool");
    EXPECT_FALSE(exists_in(m_one, "bin/sh")); // this machine has one
}

TEST_F(Tree, links_in_circles_are_an_error) {
    fs::create_symlink("b", m_one / "a");
    fs::create_symlink("a", m_one / "b");
    EXPECT_EQ(resolve_in(m_one, "a").error().code(), ErrorCode::corrupt);
}

TEST_F(Tree, a_library_is_copied_with_the_links_that_lead_to_it) {
    put(m_one / "usr/lib/libz.so.1.2.13", "library");
    fs::create_symlink("libz.so.1.2.13", m_one / "usr/lib/libz.so.1");
    fs::create_symlink("usr/lib", m_one / "lib");
    ASSERT_TRUE(copy_with_links(m_one, m_two, "/lib/libz.so.1"));
    EXPECT_EQ(get(m_two / "usr/lib/libz.so.1"), "library");
    EXPECT_TRUE(fs::is_symlink(m_two / "usr/lib/libz.so.1"));
}

TEST_F(Tree, an_overlay_never_writes_into_the_files_it_was_linked_from) {
    put(m_one / "etc/name", "cache");
    ASSERT_TRUE(copy_tree(m_one, m_two, CopyMode::link_files));
    auto const overlay = m_folder.path() / "overlay";
    put(overlay / "etc/name", "overlay");
    ASSERT_TRUE(copy_tree(overlay, m_two, CopyMode::copy_files));
    ASSERT_TRUE(install_text("generated", m_two, "etc/other", fs::perms{0644}));
    ASSERT_TRUE(install_text("again", m_two, "etc/other", fs::perms{0600}));
    EXPECT_EQ(get(m_two / "etc/name"), "overlay");
    EXPECT_EQ(get(m_two / "etc/other"), "again");
    EXPECT_EQ(get(m_one / "etc/name"), "cache");
}

TEST_F(Tree, a_folder_laid_over_a_link_to_a_folder_goes_where_the_link_points) {
    fs::create_directories(m_two / "usr/bin");
    fs::create_symlink("usr/bin", m_two / "bin");
    put(m_one / "bin/tool", "x");
    ASSERT_TRUE(copy_tree(m_one, m_two, CopyMode::copy_files));
    EXPECT_EQ(get(m_two / "usr/bin/tool"), "x");
    EXPECT_TRUE(fs::is_symlink(m_two / "bin"));
}

TEST_F(Tree, others_may_not_write_what_a_careless_umask_left_writable) {
    put(m_one / "etc/name", "x");
    fs::permissions(m_one / "etc/name", fs::perms{0666});
    ASSERT_TRUE(copy_tree(m_one, m_two, CopyMode::copy_files));
    EXPECT_EQ(fs::status(m_two / "etc/name").permissions(), fs::perms{0644});
}

TEST_F(Tree, bin_and_lib_move_below_usr) {
    put(m_one / "bin/sh", "shell");
    put(m_one / "usr/bin/env", "env");
    put(m_one / "lib/x/libc.so", "c");
    put(m_one / "usr/lib/x/libz.so", "z");
    ASSERT_TRUE(merge_usr(m_one));
    EXPECT_EQ(fs::read_symlink(m_one / "bin"), "usr/bin");
    EXPECT_EQ(get(m_one / "usr/bin/sh"), "shell");
    EXPECT_EQ(get(m_one / "usr/lib/x/libc.so"), "c");
    EXPECT_EQ(get(m_one / "lib/x/libz.so"), "z");
}

TEST_F(Tree, absolute_links_become_relative) {
    put(m_one / "usr/lib/libc.so.6", "c");
    fs::create_directories(m_one / "usr/lib64");
    fs::create_symlink("/usr/lib/libc.so.6", m_one / "usr/lib64/libc.so");
    ASSERT_TRUE(make_links_relative(m_one));
    EXPECT_EQ(fs::read_symlink(m_one / "usr/lib64/libc.so"), "../lib/libc.so.6");
    EXPECT_EQ(get(m_one / "usr/lib64/libc.so"), "c");
}

TEST_F(Tree, files_are_listed_sorted_and_without_links) {
    put(m_one / "b", "");
    put(m_one / "a/c", "");
    fs::create_symlink("b", m_one / "link");
    EXPECT_THAT(*list_files(m_one), ElementsAre("a/c", "b"));
}

} // namespace
} // namespace sinew::system
