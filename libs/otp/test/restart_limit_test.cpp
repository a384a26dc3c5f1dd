#include "supervisor/restart_limit.hpp"

#include <sinew/base/clock.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sinew::detail {
namespace {

using namespace std::chrono_literals;

MonotonicTime at(Duration time) {
    return MonotonicTime(time);
}

TEST(RestartLimit, counts_only_those_within_the_period) {
    RestartLimit limit(2, 5s);
    EXPECT_TRUE(limit.add(at(1s)));
    EXPECT_TRUE(limit.add(at(2s)));
    EXPECT_TRUE(limit.add(at(6s + 1ns)));
    EXPECT_TRUE(limit.add(at(11s)));
    EXPECT_FALSE(limit.add(at(11s)));
}

TEST(RestartLimit, the_ends_of_the_period_belong_to_it) {
    RestartLimit limit(1, 5s);
    EXPECT_TRUE(limit.add(at(1s)));
    EXPECT_FALSE(limit.add(at(6s)));
}

TEST(RestartLimit, zero_bears_nothing) {
    RestartLimit limit(0, 5s);
    EXPECT_FALSE(limit.add(at(1s)));
}

// OTP keeps a list and drops what is older than the period; the ring must agree with it, always.
RC_GTEST_PROP(RestartLimit, agrees_with_otps_list, ()) {
    auto const intensity = *rc::gen::inRange<unsigned>(0, 6);
    auto const period_ns = *rc::gen::inRange<std::int64_t>(1, 1000);
    auto const steps = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 500));
    RestartLimit limit(intensity, Duration(period_ns));
    std::vector<std::int64_t> list;
    std::int64_t now_ns = 0;
    for (std::int64_t const step : steps) {
        now_ns += step;
        list.push_back(now_ns);
        std::erase_if(list, [&](std::int64_t stamp) { return stamp < now_ns - period_ns; });
        bool const is_borne = list.size() <= intensity;
        RC_ASSERT(limit.add(MonotonicTime(Duration(now_ns))) == is_borne);
        if (!is_borne) {
            break;
        }
    }
}

TEST(RestartLimit, of_any_size_needs_no_more_memory_than_restarts) {
    RestartLimit limit(std::numeric_limits<unsigned>::max(), 1h);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(limit.add(MonotonicTime(Duration(i))));
    }
}

} // namespace
} // namespace sinew::detail
