/// What a description must hold, and how a mistake in it is named.
#include <sinew/base/file.hpp>
#include <sinew/system/description.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sinew::system {
namespace {

TEST(Description, the_x86_64_target_loads) {
    auto const target = load_system(SINEW_SYSTEMS, "x86_64");
    ASSERT_TRUE(target) << target.error().message();
    EXPECT_EQ(target->description.name, "x86_64");
    EXPECT_EQ(target->description.disk.partitions.size(), 5u);
}

} // namespace
} // namespace sinew::system
