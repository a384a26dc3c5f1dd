#include "tool_fixture.hpp"

#include <sinew/base/command.hpp>
#include <sinew/tooling/made_beside.hpp>

#include <gmock/gmock.h>

#include <filesystem>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

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
                ElementsAre(Pair("/usr/include/c++/12/string",
                                 ElementsAre("libs/base/CMakeFiles/sinew_base.dir/src/a.cpp.o",
                                             "libs/base/CMakeFiles/sinew_base.dir/src/b.cpp.o")),
                            Pair("/usr/include/zstd.h",
                                 ElementsAre("libs/base/CMakeFiles/sinew_base.dir/src/a.cpp.o"))));
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

/// A build of one object, which includes a header of the kernel.
class BuildWithAKernelHeader : public ToolFixture {
protected:
    static constexpr char const* compiler = "x86_64-linux-gnu-g++-12";

    void SetUp() override {
        ToolFixture::SetUp();
        std::string const command = std::string(compiler) + " -O1 -o a.o -c ../a.cpp";
        write("a.cpp", "#include <linux/version.h>\nint a;\n");
        write("build/build.ninja", "rule cc\n  command = " + command +
                                       " -MD -MF a.d\n  deps = gcc\n  depfile = a.d\n"
                                       "build a.o: cc ../a.cpp\nbuild sinew_programs: phony a.o\n");
        write("build/compile_commands.json", R"([{"directory": ")" + (folder() / "build").string() +
                                                 R"(", "command": ")" + command +
                                                 R"(", "file": "../a.cpp", "output": "a.o"}])");
        write("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=" + folder().string() +
                                          "\nCMAKE_CXX_COMPILER:FILEPATH=" + compiler + "\n");
        ASSERT_TRUE(run_checked({"ninja", "-C", (folder() / "build").string(), "sinew_programs"}));
        // All else is the same file.
        fs::create_directories(folder() / "sysroot/usr/include");
        fs::create_directory_symlink("/usr/lib", folder() / "sysroot/usr/lib");
        fs::create_symlink("/usr/include/stdc-predef.h", folder() / "sysroot/usr/include/stdc-predef.h");
    }
    bool is_equal_with(std::string const& kernel_header) {
        write("sysroot/usr/include/linux/version.h", kernel_header);
        Console console(output_stream(), diagnostics_stream(), ConsoleOptions{.verbose = true});
        return find_equal_build(
                   console, folder() / "build",
                   {.root = folder(), .sysroot = folder() / "sysroot", .compiler = compiler, .variables = {}})
            .has_value();
    }
};

TEST_F(BuildWithAKernelHeader, is_equal_if_the_header_differs_in_what_is_not_used) {
    EXPECT_TRUE(is_equal_with("#define LINUX_VERSION_CODE 1\n")) << warned();
}

TEST_F(BuildWithAKernelHeader, is_another_if_the_header_changes_what_is_compiled) {
    EXPECT_FALSE(is_equal_with("extern int b;\n"));
    EXPECT_THAT(warned(), HasSubstr("/usr/include/linux/version.h differs from the target's"));
}

} // namespace
} // namespace sinew::tooling
