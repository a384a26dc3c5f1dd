#include "tool_fixture.hpp"

#include <sinew/tooling/template.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <regex>
#include <string>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class TemplateTest : public ToolFixture {
protected:
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder()), fs::directory_iterator()));
    }
};

TEST(FillTemplate, puts_the_names_in) {
    EXPECT_EQ(
        *fill_template("namespace @NAMESPACE@ { class @TYPE@; } // @TITLE@, @NAME@ on @TARGET@",
                       {"sensor_node", "rpi4"}),
        "namespace sensor_node_app { class SensorNodeApplication; } // Sensor node, sensor_node on rpi4");
}

TEST(FillTemplate, leaves_other_at_signs_alone) {
    EXPECT_EQ(*fill_template("root@device, a@@b, @name@, @", {"blinky", "x86_64"}),
              "root@device, a@@b, @name@, @");
}

TEST(FillTemplate, refuses_a_placeholder_it_does_not_know) {
    auto const filled = fill_template("@NMAE@", {"blinky", "x86_64"});
    ASSERT_FALSE(filled.has_value());
    EXPECT_THAT(filled.error().message(), HasSubstr("@NMAE@"));
}

TEST_F(TemplateTest, makes_a_whole_project) {
    auto const made = create_project(context(), folder(), "sensor_node", "x86_64");
    ASSERT_TRUE(made.has_value()) << made.error().message();
    for (char const* file : {"sinew.toml", "CMakeLists.txt", "README.md", ".gitignore", "src/main.cpp",
                             "src/led.hpp", "src/led.cpp", "config/config.toml", "config/host.toml",
                             "config/target.toml", "test/led_test.cpp", "rootfs_overlay/.gitkeep"}) {
        EXPECT_TRUE(fs::exists(*made / file)) << file;
    }
    for (auto const& entry : fs::recursive_directory_iterator(*made)) {
        if (entry.is_regular_file()) {
            EXPECT_THAT(*read_text_file(entry.path()), Not(HasSubstr("@NAME@"))) << entry.path();
        }
    }
    EXPECT_EQ(fs::status(*made).permissions(), fs::perms(0755));
    EXPECT_EQ(entries(), 1u);
}

TEST_F(TemplateTest, has_the_name_alone_nowhere_where_cpp_reads_a_word) {
    // Neither a letter of it nor the whole may stand for something: "errno" is a macro, "daylight" a variable.
    std::string const name = "zzyzx";
    auto const made = create_project(context(), folder(), name, "x86_64").value();
    // What is neither a comment nor within quotes.
    std::regex const quoted(R"re(//[^\n]*|"[^"\n]*")re");
    std::regex const alone("\\b" + name + "\\b");
    int sources = 0;
    for (auto const& entry : fs::recursive_directory_iterator(made)) {
        auto const extension = entry.path().extension();
        if (extension == ".cpp" || extension == ".hpp") {
            ++sources;
            auto const code = std::regex_replace(*read_text_file(entry.path()), quoted, "");
            EXPECT_FALSE(std::regex_search(code, alone)) << entry.path();
        }
    }
    EXPECT_GE(sources, 6);
}

TEST_F(TemplateTest, leaves_an_existing_folder_as_it_is) {
    write("blinky/precious.txt", "mine");
    auto const made = create_project(context(), folder(), "blinky", "x86_64");
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code(), ErrorCode::exists);
    EXPECT_EQ(*read_text_file(folder() / "blinky/precious.txt"), "mine");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(TemplateTest, leaves_a_dangling_link_of_that_name_as_it_is) {
    fs::create_symlink("nowhere", folder() / "blinky");
    EXPECT_FALSE(create_project(context(), folder(), "blinky", "x86_64").has_value());
    EXPECT_TRUE(fs::is_symlink(folder() / "blinky"));
}

TEST_F(TemplateTest, leaves_nothing_behind_when_it_fails) {
    write("tree/cmake/SinewApplication.cmake", "");
    write("tree/systems/x86_64/system.toml", "");
    write("tree/templates/application/good.txt", "@NAME@");
    write("tree/templates/application/zbad.txt", "@NONSENSE@");
    Context const broken(console(), {.root = folder() / "tree", .home = {}, .cache = {}});
    EXPECT_FALSE(create_project(broken, folder(), "blinky", "x86_64").has_value());
    EXPECT_EQ(entries(), 1u);
}

TEST_F(TemplateTest, refuses_an_unknown_target_and_lists_the_known_ones) {
    auto const made = create_project(context(), folder(), "blinky", "toaster");
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(made.error().message(), HasSubstr("unknown target 'toaster'; known targets: "));
    EXPECT_THAT(made.error().message(), HasSubstr("x86_64"));
}

} // namespace
} // namespace sinew::tooling
