/// Backoff, LineSplitter, log lines of other programs.
#include <sinew/base/clock.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/log_line.hpp>

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

TEST(LogLines, one_of_a_sinew_program_keeps_its_level_and_loses_its_time) {
    auto const line = read_log_line("2026-11-22 22:10:36.123 [warning] <4.1> Led: busy");
    EXPECT_EQ(line.level, log::Level::warning);
    EXPECT_EQ(line.text, "<4.1> Led: busy");
    log::Event const event{.level = log::Level::error, .time = {}, .process = {}, .label = {}, .text = "x"};
    EXPECT_EQ(read_log_line(log::format(event)).level, log::Level::error) << "the runtime's own form";
}

TEST(LogLines, any_other_stays_as_it_is) {
    for (auto const* text :
         {"", "hello", "2026-11-22 22:10:36.123 [fatal] x", "2026-11-22 22:10:36.123 [info]x",
          "2026-11-22T22:10:36.123 [info] x", "2026-11-22 22:10:36.123 ["}) {
        EXPECT_EQ(read_log_line(text).text, text);
        EXPECT_EQ(read_log_line(text).level, log::Level::info);
    }
}

} // namespace
} // namespace sinew::device
