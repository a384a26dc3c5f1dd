/// What counts as Sinew's sources.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/source_hash.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sinew::system {
namespace {

class SourceHash : public ::testing::Test {
protected:
    TemporaryDirectory m_folder = *TemporaryDirectory::create();

    SourceHash() {
        for (auto const* file :
             {"CMakeLists.txt", "cmake/A.cmake", "libs/base/src/a.cpp", "apps/fwup/main.cpp"}) {
            write(file, "one");
        }
    }
    void write(std::string const& file, std::string const& text) const {
        auto const path = m_folder.path() / file;
        std::filesystem::create_directories(path.parent_path());
        EXPECT_TRUE(write_file_atomically(path, as_bytes(text)));
    }
    [[nodiscard]] std::string hash() const { return *hash_of_sources(m_folder.path()); }
};

TEST_F(SourceHash, changes_with_the_content_the_name_and_the_presence_of_a_source) {
    auto const before = hash();
    EXPECT_EQ(hash(), before);
    write("libs/base/src/a.cpp", "two");
    auto const changed = hash();
    EXPECT_NE(changed, before);
    write("libs/drivers/src/b.cpp", "");
    auto const added = hash();
    EXPECT_NE(added, changed);
    std::filesystem::rename(m_folder.path() / "libs/drivers/src/b.cpp",
                            m_folder.path() / "libs/drivers/src/c.cpp");
    EXPECT_NE(hash(), added);
}

TEST_F(SourceHash, ignores_tests_texts_and_what_only_the_tool_is_made_of) {
    auto const before = hash();
    for (auto const* file : {"libs/base/test/a_test.cpp", "libs/base/README.md", "libs/tooling/src/cli.cpp",
                             "apps/sinew/main.cpp", "docs/tutorial.md", "libs/base/src/.a.cpp.swp"}) {
        write(file, "one");
        EXPECT_EQ(hash(), before) << file;
    }
}

TEST_F(SourceHash, fails_where_there_are_no_sources) {
    EXPECT_FALSE(hash_of_sources(m_folder.path() / "libs"));
}

} // namespace
} // namespace sinew::system
