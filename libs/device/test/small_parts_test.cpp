/// Backoff and LineSplitter.
#include <sinew/base/clock.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/line_splitter.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

TEST(Backoff, waits_double_up_to_the_longest) {
    Backoff backoff({.first = 1s, .longest = 5s, .forget_after = 60s});
    ManualClock const clock;
    std::vector<Duration> delays;
    for (int i = 0; i < 6; ++i) {
        delays.push_back(backoff.next_delay(clock.now()));
    }
    EXPECT_THAT(delays, ElementsAre(0s, 1s, 2s, 4s, 5s, 5s));
}

TEST(Backoff, a_long_life_makes_the_next_start_a_first_one) {
    Backoff backoff({.first = 1s, .longest = 5s, .forget_after = 60s});
    ManualClock clock;
    (void)backoff.next_delay(clock.now());
    EXPECT_EQ(backoff.next_delay(clock.now()), 1s);
    clock.advance(61s); // A life of sixty seconds after a wait of one.
    EXPECT_EQ(backoff.next_delay(clock.now()), 0s);
    clock.advance(59s);
    EXPECT_EQ(backoff.next_delay(clock.now()), 1s);
}

class Lines : public ::testing::Test {
protected:
    void feed(std::string_view bytes) {
        m_splitter.feed(bytes, [this](std::string_view line) { m_lines.emplace_back(line); });
    }
    void finish() {
        m_splitter.finish([this](std::string_view line) { m_lines.emplace_back(line); });
    }
    LineSplitter m_splitter;
    std::vector<std::string> m_lines;
};

TEST_F(Lines, a_line_may_come_in_pieces_and_several_at_once) {
    feed("on");
    feed("e\ntwo\r\n\nthr");
    EXPECT_THAT(m_lines, ElementsAre("one", "two"));
    feed("ee");
    finish();
    EXPECT_THAT(m_lines, ElementsAre("one", "two", "three"));
    finish();
    EXPECT_EQ(m_lines.size(), 3U);
}

TEST_F(Lines, control_characters_cannot_reach_a_terminal) {
    feed("\x1b[31mred\x07\ttab é\n");
    EXPECT_THAT(m_lines, ElementsAre("?[31mred?\ttab é"));
}

TEST_F(Lines, an_endless_line_is_cut) {
    feed(std::string(2500, 'x'));
    EXPECT_EQ(m_lines.size(), 2U);
    EXPECT_EQ(m_lines.front().size(), LineSplitter::max_line_bytes);
}

} // namespace
} // namespace sinew::device
