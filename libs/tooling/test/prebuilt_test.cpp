// Parts in the cache, with a tree of Sinew so small that building it takes no time: an empty CMake project.
#include "tool_fixture.hpp"

#include <sinew/tooling/prebuilt.hpp>

#include <gmock/gmock.h>

#include <chrono>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;

class Prebuilt : public ToolFixture {
protected:
    Prebuilt() {
        write("tree/templates/a", "");
        write("tree/cmake/SinewApplication.cmake", "");
        write("tree/libs/a.cpp", "one");
        write("tree/apps/a.cpp", "");
        write("tree/CMakeLists.txt", "cmake_minimum_required(VERSION 3.25)\n"
                                     "project(sinew LANGUAGES NONE)\n"
                                     "add_custom_target(sinew_programs)\n"
                                     "install(FILES libs/a.cpp DESTINATION bin COMPONENT programs)\n");
        m_part = {.kind = PartKind::programs,
                  .name = "x86_64",
                  .label = "programs",
                  .variables = {},
                  .compiler = "/bin/sh"};
    }
    [[nodiscard]] fs::path cache() const { return folder() / "cache"; }
    Context m_small{console(),
                    {.root = folder() / "tree", .home = folder() / "home", .cache = folder() / "cache"}};
    Part m_part;
};

TEST_F(Prebuilt, is_built_once_a_version_of_the_sources) {
    auto const first = prebuilt_part(m_small, m_part);
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_EQ(*read_text_file(*first / "bin/a.cpp"), "one");
    fs::remove_all(cache() / "build"); // else a second build could go unnoticed
    EXPECT_EQ(*prebuilt_part(m_small, m_part), *first);
    EXPECT_FALSE(fs::exists(cache() / "build"));
    write("tree/libs/a.cpp", "two");
    auto const second = prebuilt_part(m_small, m_part);
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_NE(*second, *first);
    EXPECT_EQ(*read_text_file(*second / "bin/a.cpp"), "two");
    EXPECT_EQ(*read_text_file(*first / "bin/a.cpp"), "one");
}

TEST_F(Prebuilt, is_taken_from_a_build_that_made_it_already) {
    Context const other(console(), {.root = folder() / "tree", .home = {}, .cache = folder() / "other"});
    ASSERT_TRUE(prebuilt_part(other, m_part));
    m_part.find_made = [&] { return fs::directory_iterator(folder() / "other/build")->path(); };
    auto const part = prebuilt_part(m_small, m_part);
    ASSERT_TRUE(part) << part.error().message();
    EXPECT_EQ(*read_text_file(*part / "bin/a.cpp"), "one");
    EXPECT_TRUE(fs::is_empty(cache() / "build"));
}

TEST_F(Prebuilt, leaves_nothing_under_its_name_when_the_build_fails) {
    write("tree/CMakeLists.txt", "message(FATAL_ERROR broken)\n");
    EXPECT_FALSE(prebuilt_part(m_small, m_part));
    for (auto const& entry : fs::directory_iterator(cache() / "prebuilt")) {
        EXPECT_EQ(entry.path().filename(), "programs-x86_64.lock");
    }
}

TEST_F(Prebuilt, only_the_versions_used_last_are_kept) {
    auto const now = fs::file_time_type::clock::now();
    int age = 0;
    for (std::string const name : {"host-a1", "host-b2", "host-c3", "host-thread-d4", "hosts"}) {
        fs::create_directories(folder() / "parts" / name);
        fs::last_write_time(folder() / "parts" / name, now - std::chrono::hours(++age));
    }
    remove_oldest(folder() / "parts", "host-", 2);
    EXPECT_TRUE(fs::exists(folder() / "parts/host-a1"));
    EXPECT_TRUE(fs::exists(folder() / "parts/host-b2"));
    EXPECT_FALSE(fs::exists(folder() / "parts/host-c3"));
    EXPECT_TRUE(fs::exists(folder() / "parts/host-thread-d4")); // another part's
    EXPECT_TRUE(fs::exists(folder() / "parts/hosts"));
}

} // namespace
} // namespace sinew::tooling
