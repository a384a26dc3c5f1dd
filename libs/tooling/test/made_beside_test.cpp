#include "tool_fixture.hpp"

#include <sinew/tooling/made_beside.hpp>

#include <gmock/gmock.h>

namespace sinew::tooling {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CmakeCache, is_read_without_its_comments) {
    auto const values = parse_cmake_cache("# This is the CMakeCache file.\n"
                                          "//Flags used by the CXX compiler = all\n"
                                          "CMAKE_CXX_FLAGS_RELEASE:STRING=-Os -DA=1\n"
                                          "\n"
                                          "SINEW_SANITIZE:STRING=\n"
                                          "no value here\n");
    EXPECT_EQ(values.size(), 2u);
    EXPECT_EQ(values.at("CMAKE_CXX_FLAGS_RELEASE"), "-Os -DA=1");
    EXPECT_EQ(values.at("SINEW_SANITIZE"), "");
}

TEST(Dependencies, are_the_headers_outside_of_the_build_without_those_of_the_tool) {
    EXPECT_THAT(parse_dependencies(
                    "libs/base/CMakeFiles/sinew_base.dir/src/a.cpp.o: #deps 3, deps mtime 1 (VALID)\n"
                    "    ../libs/base/src/a.cpp\n"
                    "    /usr/include/c++/12/string\n"
                    "    /usr/lib/gcc/x86_64-linux-gnu/12/../../../../include/zstd.h\n"
                    "\n"
                    "libs/tooling/CMakeFiles/sinew_tooling.dir/src/cli.cpp.o: #deps 1, deps mtime 1 (VALID)\n"
                    "    /usr/include/CLI/CLI.hpp\n"
                    "\n"
                    "libs/base/CMakeFiles/sinew_base.dir/src/b.cpp.o: #deps 1, deps mtime 1 (VALID)\n"
                    "    /usr/include/c++/12/string\n",
                    {"libs/tooling/"}),
                ElementsAre("/usr/include/c++/12/string", "/usr/include/zstd.h"));
}

class EqualBuild : public ToolFixture {
protected:
    std::optional<std::filesystem::path> find(std::string const& flags) {
        m_verbose.emplace(output_stream(), diagnostics_stream(), ConsoleOptions{.verbose = true});
        return find_equal_build(*m_verbose, folder() / "build",
                                {.root = folder(),
                                 .sysroot = folder() / "sysroot",
                                 .compiler = "/bin/sh",
                                 .variables = {{"CMAKE_CXX_FLAGS_RELEASE", flags}}});
    }
    std::optional<Console> m_verbose;
};

TEST_F(EqualBuild, is_none_where_nothing_was_built) {
    EXPECT_FALSE(find("-Os"));
    EXPECT_EQ(warned().find("can't be used"), std::string::npos);
}

TEST_F(EqualBuild, is_none_with_other_flags) {
    write("build/CMakeCache.txt",
          "CMAKE_HOME_DIRECTORY:INTERNAL=" + folder().string() +
              "\nCMAKE_CXX_COMPILER:FILEPATH=/bin/sh\nCMAKE_CXX_FLAGS_RELEASE:STRING=-O2\n");
    EXPECT_FALSE(find("-Os"));
    EXPECT_THAT(warned(), HasSubstr("can't be used: CMAKE_CXX_FLAGS_RELEASE is '-O2' there"));
}

TEST_F(EqualBuild, is_none_of_another_tree_or_compiler) {
    write("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n");
    EXPECT_FALSE(find("-Os"));
    EXPECT_THAT(warned(), HasSubstr("of another tree"));
    write("build/CMakeCache.txt",
          "CMAKE_HOME_DIRECTORY:INTERNAL=" + folder().string() + "\nCMAKE_CXX_COMPILER:FILEPATH=/bin/cat\n");
    EXPECT_FALSE(find("-Os"));
    EXPECT_THAT(warned(), HasSubstr("another compiler"));
}

} // namespace
} // namespace sinew::tooling
