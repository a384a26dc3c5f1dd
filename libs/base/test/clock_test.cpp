/// Injected clocks.
#include <sinew/base/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace sinew {
namespace {

using namespace std::chrono_literals;

TEST(Clock, a_manual_clock_moves_only_when_told) {
    ManualClock clock;
    auto const start = clock.now();
    EXPECT_EQ(clock.now(), start);
    clock.advance(5s);
    EXPECT_EQ(clock.now() - start, 5s);
    EXPECT_EQ(clock.wall_now().time_since_epoch(), 6s);
}

TEST(Clock, the_system_clock_never_goes_back) {
    SystemClock const clock;
    auto before = clock.now();
    for (int i = 0; i < 1000; ++i) {
        auto const now = clock.now();
        ASSERT_GE(now, before);
        before = now;
    }
    EXPECT_GT(clock.wall_now().time_since_epoch(), 24h * 365 * 50);
}

} // namespace
} // namespace sinew
