#include "tool_fixture.hpp"

#include <sinew/tooling/project.hpp>

#include <gmock/gmock.h>

namespace sinew::tooling {
namespace {

using ::testing::HasSubstr;

class ProjectTest : public ToolFixture {
protected:
    std::string refusal(std::string_view toml) {
        write("sinew.toml", toml);
        auto const project = Project::load(context(), folder());
        return project ? std::string() : project.error().message();
    }
};

TEST_F(ProjectTest, is_found_from_a_folder_below) {
    write("sinew.toml", "name = \"blinky\"\nversion = \"1.2.3\"\n");
    write("src/main.cpp", "");
    auto const project = Project::load(context(), folder() / "src");
    ASSERT_TRUE(project.has_value()) << project.error().message();
    EXPECT_EQ(project->folder(), folder());
    EXPECT_EQ(project->config().version, "1.2.3");
    EXPECT_EQ(project->firmware_path(), folder() / "build/x86_64/blinky.fw");
}

TEST_F(ProjectTest, that_is_none_is_said_with_what_to_do) {
    auto const project = Project::load(context(), folder());
    ASSERT_FALSE(project.has_value());
    EXPECT_EQ(project.error().code(), ErrorCode::not_found);
    EXPECT_THAT(project.error().message(), HasSubstr("sinew new NAME"));
}

TEST_F(ProjectTest, with_a_mistake_names_file_line_and_key) {
    EXPECT_THAT(refusal("name = \"blinky\"\nversoin = \"1.0.0\"\n"), HasSubstr("sinew.toml:2:"));
    EXPECT_THAT(refusal("name = \"blinky\"\nversoin = \"1.0.0\"\n"), HasSubstr("did you mean 'version'"));
    EXPECT_THAT(refusal("name = \"blinky\"\nversion = 1\n"),
                HasSubstr("sinew.toml:2: version: expected a string"));
    EXPECT_THAT(refusal("name = \"blinky\"\n\nversion = \"1\"\n"),
                HasSubstr("sinew.toml:3: version: '1' is not"));
    EXPECT_THAT(refusal("name = \"Class\"\n"), HasSubstr("sinew.toml:1: name: 'Class'"));
    EXPECT_THAT(refusal("name = \"blinky\"\ntarget = \"toaster\"\n"),
                HasSubstr("sinew.toml:2: target: unknown target"));
    EXPECT_THAT(refusal("name = \"blinky\"\ntarget = \"toaster\"\n"), HasSubstr("x86_64"));
    EXPECT_THAT(refusal("name = \"blinky\"\ndevice = 3\n"),
                HasSubstr("sinew.toml:2: device: expected a table"));
    EXPECT_THAT(refusal("name = \"blinky\ntarget"), HasSubstr("sinew.toml:1"));
    EXPECT_THAT(refusal(""), HasSubstr("sinew.toml:1: name:"));
}

} // namespace
} // namespace sinew::tooling
