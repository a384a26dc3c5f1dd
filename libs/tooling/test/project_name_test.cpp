#include <sinew/tooling/project.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sinew::tooling {
namespace {

using ::testing::HasSubstr;

std::string refusal(std::string_view name) {
    auto const result = check_project_name(name);
    return result ? std::string() : result.error().message();
}

TEST(ProjectName, takes_lower_case_words_digits_and_single_underscores) {
    for (char const* name : {"blinky", "a", "sensor_node", "x86", "node2_left", "garden"}) {
        EXPECT_EQ(refusal(name), "") << name;
    }
}

TEST(ProjectName, refuses_what_does_not_fit_the_pattern_and_proposes_what_does) {
    EXPECT_THAT(refusal("Blinky"), HasSubstr("'blinky' would do"));
    EXPECT_THAT(refusal("my-node"), HasSubstr("'my_node' would do"));
    EXPECT_THAT(refusal("3d printer"), HasSubstr("'d_printer' would do"));
    EXPECT_THAT(refusal("../evil"), HasSubstr("'evil' would do"));
    EXPECT_THAT(refusal("éclair"), HasSubstr("'clair' would do"));
    EXPECT_THAT(refusal("..."), HasSubstr("must begin with a lower-case letter"));
    EXPECT_THAT(refusal(""), HasSubstr("empty"));
    EXPECT_THAT(refusal(std::string("a\0b", 3)), HasSubstr("must begin"));
}

TEST(ProjectName, takes_words_that_something_else_needs) {
    for (char const* name : {"class", "co_await", "sinew", "test", "all", "led", "time", "daylight", "errno",
                             "uint", "timezone", "linux", "std"}) {
        EXPECT_EQ(refusal(name), "") << name;
    }
}

TEST(ProjectName, refuses_underscores_that_cpp_reserves_and_names_too_long) {
    EXPECT_THAT(refusal("a__b"), HasSubstr("underscores must stand single"));
    EXPECT_THAT(refusal("node_"), HasSubstr("underscores must stand single"));
    EXPECT_EQ(refusal(std::string(40, 'a')), "");
    EXPECT_THAT(refusal(std::string(41, 'a')), HasSubstr("41 characters; use at most 40"));
}

TEST(ProjectName, becomes_a_type_name) {
    EXPECT_EQ(type_name_of("blinky"), "BlinkyApplication");
    EXPECT_EQ(type_name_of("sensor_node_2"), "SensorNode2Application");
}

TEST(ProjectVersion, is_major_minor_patch) {
    for (char const* good : {"0.1.0", "10.20.30", "1.0.0-rc.1", "1.0.0+build.5", "1.0.0-rc.1+5"}) {
        EXPECT_TRUE(check_version(good).has_value()) << good;
    }
    for (char const* bad : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1.2.3-", "v1.2.3", "1.2.3-a b",
                            "1..3", "1.2.99999999999"}) {
        EXPECT_FALSE(check_version(bad).has_value()) << bad;
    }
}

} // namespace
} // namespace sinew::tooling
