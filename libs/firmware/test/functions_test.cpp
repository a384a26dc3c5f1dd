/// The rows of functions and conditions, and how calls find them.
#include "functions/arguments.hpp"
#include "functions/table.hpp"
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::ElementsAre;

Section config_of(std::string const& meta_conf) {
    Variables variables;
    return must(build_config(must(parse_script(meta_conf, "meta.conf", variables, {})), Unknown::ignored));
}

TEST(Functions, every_function_of_the_language_has_a_row_that_can_be_read_and_run) {
    for (auto const* const name :
         {"raw_write", "raw_memset",      "trim",         "fat_mkfs",       "fat_write",
          "fat_cp",    "fat_mv",          "fat_mv!",      "fat_rm",         "fat_rm!",
          "fat_mkdir", "fat_touch",       "fat_setlabel", "fat_attrib",     "mbr_write",
          "gpt_write", "uboot_clearenv",  "uboot_setenv", "uboot_unsetenv", "uboot_recover",
          "info",      "error",           "reboot_param", "path_write",     "pipe_write",
          "execute",   "ubi_volume_write"}) {
        auto const* const function = find_function(name);
        ASSERT_NE(function, nullptr) << name;
        EXPECT_EQ(function->form.name, name);
        EXPECT_NE(function->read, nullptr) << name;
        EXPECT_NE(function->run, nullptr) << name;
    }
    EXPECT_EQ(find_function("raw_wrte"), nullptr);
    EXPECT_EQ(find_function("require-execute"), nullptr);
}

TEST(Functions, every_condition_has_a_row) {
    for (auto const* const name :
         {"require-partition-offset", "require-path-on-device", "require-path-at-offset",
          "require-fat-file-exists", "require-fat-file-match", "require-uboot-variable", "require-execute"}) {
        auto const* const condition = find_condition(name);
        ASSERT_NE(condition, nullptr) << name;
        EXPECT_NE(condition->find, nullptr) << name;
    }
    EXPECT_EQ(find_condition("raw_write"), nullptr);
}

TEST(Functions, calls_of_a_finished_archive_find_their_rows_and_keep_their_words) {
    auto const config = config_of(R"(task "t" { reqlist={2,require-execute,"true"}
                                     on-init { funlist={4,raw_memset,"0x10",1,0xff,2,later_function,x} } })");
    auto const& task = config.sections.at(0);
    EXPECT_EQ(task.calls.at(0).condition, find_condition("require-execute"));
    auto const& calls = task.sections.at(0).calls;
    EXPECT_EQ(calls.at(0).function, find_function("raw_memset"));
    EXPECT_THAT(calls.at(0).words, ElementsAre("raw_memset", "0x10", "1", "0xff"));
    EXPECT_EQ(calls.at(1).function, nullptr) << "a later release added it";
}

TEST(Functions, a_file_without_a_name_in_a_finished_archive_is_called_like_its_resource) {
    auto const config = config_of(R"(task "t" { on-resource "kernel" { funlist={2,fat_write,8} } })");
    EXPECT_THAT(config.sections.at(0).sections.at(0).calls.at(0).words,
                ElementsAre("fat_write", "8", "kernel"));
}

TEST(Functions, arguments_are_read_as_what_they_are) {
    std::vector<std::string> const copy{"fat_cp", "0x10", "a", "32", "b"};
    auto const read = must(find_function("fat_cp")->read(copy));
    auto const& edit = std::get<FatEdit>(read);
    EXPECT_EQ(edit.block, 16u);
    EXPECT_EQ(edit.path, "a");
    EXPECT_EQ(edit.target_block, 32u);
    EXPECT_EQ(edit.target, "b");
    std::vector<std::string> const cipher{"raw_write", "0", "cipher=rot13"};
    EXPECT_FALSE(find_function("raw_write")->read(cipher));
}

} // namespace

} // namespace sinew::firmware::test
