#include "tool_fixture.hpp"

#include <sinew/tooling/cmake_build.hpp>

#include <gmock/gmock.h>

namespace sinew::tooling {
namespace {

TEST(BuildStep, is_read_from_ninjas_lines) {
    auto const step = parse_build_step("[12/80] Building CXX object led.cpp.o");
    ASSERT_TRUE(step.has_value());
    EXPECT_EQ(step->done, 12u);
    EXPECT_EQ(step->total, 80u);
    for (char const* other :
         {"", "[", "[1", "[1/", "[1/x]", "[/2]", "[9/2] more", "led.cpp:3: error", "[12/80 "}) {
        EXPECT_FALSE(parse_build_step(other).has_value()) << other;
    }
}

} // namespace
} // namespace sinew::tooling
