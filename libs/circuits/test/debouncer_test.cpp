// Which changes last, by their time stamps alone.
#include "debouncer.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace sinew::circuits {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

MonotonicTime at(Duration time) {
    return MonotonicTime(time);
}

class DebouncerTest : public ::testing::Test {
protected:
    Debouncer debouncer{5ms, Edges::both, false};

    void change(bool value, Duration time, std::uint32_t missed = 0) {
        debouncer.add({.value = value, .timestamp = at(time), .sequence = 0, .missed = missed});
    }
};

TEST_F(DebouncerTest, a_level_counts_when_it_was_stable_for_the_period) {
    change(true, 10ms);
    EXPECT_EQ(debouncer.due(), at(15ms));
    EXPECT_THAT(debouncer.take(at(14ms)), IsEmpty());
    EXPECT_FALSE(debouncer.value());
    EXPECT_THAT(debouncer.take(at(15ms)), ElementsAre(EdgeEvent{true, at(15ms), 1, 0}));
    EXPECT_TRUE(debouncer.value());
    EXPECT_EQ(debouncer.due(), std::nullopt);
}

TEST_F(DebouncerTest, every_bounce_starts_the_period_anew) {
    change(true, 10ms);
    change(false, 11ms);
    EXPECT_EQ(debouncer.due(), std::nullopt);
    change(true, 12ms);
    EXPECT_THAT(debouncer.take(at(16ms)), IsEmpty());
    EXPECT_THAT(debouncer.take(at(17ms)), ElementsAre(EdgeEvent{true, at(17ms), 1, 0}));
}

TEST_F(DebouncerTest, edges_that_are_read_late_are_told_apart_by_their_time) {
    change(true, 10ms);
    change(false, 100ms);
    change(true, 101ms);
    change(false, 102ms);
    EXPECT_THAT(debouncer.take(at(1s)),
                ElementsAre(EdgeEvent{true, at(15ms), 1, 0}, EdgeEvent{false, at(107ms), 2, 0}));
}

TEST_F(DebouncerTest, a_change_to_what_it_is_already_is_none) {
    change(false, 10ms);
    EXPECT_EQ(debouncer.due(), std::nullopt);
}

TEST_F(DebouncerTest, a_gap_in_what_was_seen_counts_as_a_bounce) {
    change(true, 10ms);
    change(true, 14ms, 2);
    EXPECT_EQ(debouncer.due(), at(19ms));
}

TEST_F(DebouncerTest, only_the_wanted_edges_are_given_out) {
    debouncer = Debouncer(5ms, Edges::falling, false);
    change(true, 10ms);
    change(false, 20ms);
    EXPECT_THAT(debouncer.take(at(1s)), ElementsAre(EdgeEvent{false, at(25ms), 1, 0}));
}

} // namespace
} // namespace sinew::circuits
