// SimulatedBoard: levels, wires, edges under a clock that the test moves, faults, and the errors of a real
// board.
#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace sinew::circuits {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SimulatedBoardTest : public ::testing::Test {
protected:
    static constexpr std::string_view led = "LED0";
    static constexpr std::string_view button = "sim:3";

    ManualClock clock;
    std::shared_ptr<SimulatedBoard> board = *SimulatedBoard::create(
        {{.label = "sim", .line_count = 8, .names = {"RED", "", "BUTTON"}, .pairs = false}}, clock,
        {{"LED0", "RED"}});

    static bool readable(Gpio const& line) {
        pollfd waiting{.fd = line.edge_descriptor(), .events = POLLIN, .revents = 0};
        return ::poll(&waiting, 1, 0) == 1;
    }
    [[nodiscard]] MonotonicTime at(Duration since_start) const { return m_start + since_start; }

private:
    MonotonicTime m_start = clock.now();
};

TEST_F(SimulatedBoardTest, an_output_is_seen_from_outside) {
    auto line = board->open_gpio(led, {.direction = Direction::output, .initial_value = true});
    ASSERT_TRUE(line);
    EXPECT_TRUE(*board->level(led));
    ASSERT_TRUE(line->write(false));
    EXPECT_FALSE(*board->level(led));
}

TEST_F(SimulatedBoardTest, the_history_of_a_level_has_times) {
    auto line = board->open_gpio(led, {.direction = Direction::output});
    clock.advance(500ms);
    ASSERT_TRUE(line->write(true));
    ASSERT_TRUE(line->write(true));
    clock.advance(500ms);
    ASSERT_TRUE(line->write(false));
    EXPECT_THAT(*board->history(led), ElementsAre(LevelChange{true, at(500ms)}, LevelChange{false, at(1s)}));
}

TEST_F(SimulatedBoardTest, polarity_turns_what_the_program_sees_and_not_the_wire) {
    auto line = board->open_gpio(
        led, {.direction = Direction::output, .initial_value = true, .polarity = Polarity::active_low});
    ASSERT_TRUE(line);
    EXPECT_FALSE(*board->level(led));
    EXPECT_TRUE(*line->read());
}

TEST_F(SimulatedBoardTest, an_input_floats_low_follows_its_pull_and_then_the_outside) {
    EXPECT_FALSE(*board->open_gpio(button)->read());
    auto line = board->open_gpio(button, {.bias = Bias::pull_up});
    ASSERT_TRUE(line);
    EXPECT_TRUE(*line->read());
    ASSERT_TRUE(board->drive(button, false));
    EXPECT_FALSE(*line->read());
    ASSERT_TRUE(board->release(button));
    EXPECT_TRUE(*line->read());
}

TEST_F(SimulatedBoardTest, an_open_drain_output_lets_others_pull) {
    auto line = board->open_gpio(button, {.direction = Direction::output,
                                          .initial_value = true,
                                          .bias = Bias::pull_up,
                                          .drive = Drive::open_drain});
    ASSERT_TRUE(line);
    EXPECT_TRUE(*board->level(button));
    ASSERT_TRUE(board->drive(button, false));
    EXPECT_FALSE(*line->read());
    ASSERT_TRUE(line->write(false));
    ASSERT_TRUE(board->release(button));
    EXPECT_FALSE(*board->level(button));
}

TEST_F(SimulatedBoardTest, driving_against_a_push_pull_output_is_refused) {
    auto line = board->open_gpio(led, {.direction = Direction::output});
    auto const driven = board->drive(led, true);
    ASSERT_FALSE(driven);
    EXPECT_THAT(driven.error().message(), HasSubstr("short circuit"));
}

TEST_F(SimulatedBoardTest, wired_lines_share_a_level) {
    ASSERT_TRUE(board->wire("sim:6", "sim:7"));
    auto output = board->open_gpio("sim:6", {.direction = Direction::output});
    auto input = board->open_gpio("sim:7", {.edges = Edges::both});
    ASSERT_TRUE(output->write(true));
    EXPECT_TRUE(*input->read());
    EXPECT_EQ(input->read_edges()->size(), 1U);
    EXPECT_EQ(board->wire("sim:5", "sim:7").error().code(), ErrorCode::exists);
    EXPECT_EQ(board->wire("sim:5", "sim:5").error().code(), ErrorCode::invalid_argument);
}

TEST_F(SimulatedBoardTest, pairs_are_wired_from_the_start) {
    auto const paired =
        *SimulatedBoard::create({{.label = "sim", .line_count = 3, .names = {}, .pairs = true}}, clock);
    auto output = paired->open_gpio("sim:1", {.direction = Direction::output, .initial_value = true});
    EXPECT_TRUE(*paired->level("sim:0"));
    EXPECT_FALSE(*paired->level("sim:2"));
}

TEST_F(SimulatedBoardTest, edges_come_with_time_and_number) {
    auto line = board->open_gpio(button, {.edges = Edges::both});
    ASSERT_TRUE(line);
    EXPECT_FALSE(readable(*line));
    clock.advance(2s);
    ASSERT_TRUE(board->drive(button, true));
    clock.advance(1s);
    ASSERT_TRUE(board->drive(button, false));
    EXPECT_TRUE(readable(*line));
    EXPECT_THAT(*line->read_edges(),
                ElementsAre(EdgeEvent{true, at(2s), 1, 0}, EdgeEvent{false, at(3s), 2, 0}));
    EXPECT_FALSE(readable(*line));
    EXPECT_THAT(*line->read_edges(), IsEmpty());
}

TEST_F(SimulatedBoardTest, only_the_wanted_edges_count_after_polarity) {
    auto line = board->open_gpio(button, {.polarity = Polarity::active_low, .edges = Edges::rising});
    ASSERT_TRUE(board->drive(button, true));
    ASSERT_TRUE(board->drive(button, false));
    EXPECT_THAT(*line->read_edges(), ElementsAre(EdgeEvent{true, at(0s), 1, 0}));
}

TEST_F(SimulatedBoardTest, a_full_buffer_drops_the_oldest_and_says_how_many) {
    auto line = board->open_gpio(button, {.edges = Edges::both, .event_buffer = 2});
    for (bool const level : {true, false, true, false, true}) {
        ASSERT_TRUE(board->drive(button, level));
    }
    EXPECT_THAT(*line->read_edges(),
                ElementsAre(EdgeEvent{false, at(0s), 4, 3}, EdgeEvent{true, at(0s), 5, 0}));
}

TEST_F(SimulatedBoardTest, more_edges_than_one_read_takes_stay_readable) {
    auto line = board->open_gpio(button, {.edges = Edges::both, .event_buffer = 100});
    for (int i = 0; i < 70; ++i) {
        ASSERT_TRUE(board->drive(button, i % 2 == 0));
    }
    EXPECT_EQ(line->read_edges()->size(), 64U);
    EXPECT_TRUE(readable(*line));
    EXPECT_EQ(line->read_edges()->size(), 6U);
    EXPECT_FALSE(readable(*line));
}

TEST_F(SimulatedBoardTest, a_bounce_shorter_than_the_debounce_is_no_edge) {
    auto line = board->open_gpio(button, {.edges = Edges::both, .debounce = 5ms});
    ASSERT_TRUE(board->drive(button, true));
    clock.advance(2ms);
    ASSERT_TRUE(board->drive(button, false));
    clock.advance(1s);
    EXPECT_THAT(*line->read_edges(), IsEmpty());
    EXPECT_EQ(line->edges_due(), std::nullopt);
}

TEST_F(SimulatedBoardTest, a_level_that_stays_is_an_edge_once_the_debounce_is_over) {
    auto line = board->open_gpio(button, {.edges = Edges::both, .debounce = 5ms});
    ASSERT_TRUE(board->drive(button, true));
    EXPECT_TRUE(readable(*line));
    EXPECT_THAT(*line->read_edges(), IsEmpty());
    EXPECT_EQ(line->edges_due(), at(5ms));
    EXPECT_FALSE(*line->read());
    clock.advance(6ms);
    EXPECT_TRUE(*line->read());
    EXPECT_THAT(*line->read_edges(), ElementsAre(EdgeEvent{true, at(5ms), 1, 0}));
}

TEST_F(SimulatedBoardTest, a_held_line_names_its_holder_and_is_free_when_that_ends) {
    {
        auto held = board->open_gpio("BUTTON", {.consumer = "doorbell"});
        auto const second = board->open_gpio("sim:2");
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
        EXPECT_THAT(second.error().message(), HasSubstr("gpiochip0:2 (BUTTON) is held by 'doorbell'"));
    }
    EXPECT_TRUE(board->open_gpio("sim:2"));
}

TEST_F(SimulatedBoardTest, an_output_keeps_its_level_after_its_holder_ended) {
    {
        auto line = board->open_gpio(led, {.direction = Direction::output, .initial_value = true});
    }
    EXPECT_TRUE(*board->level(led));
}

TEST_F(SimulatedBoardTest, an_open_line_outlives_the_board) {
    auto line = board->open_gpio(led, {.direction = Direction::output});
    board.reset();
    EXPECT_TRUE(line->write(true));
    EXPECT_TRUE(*line->read());
}

TEST_F(SimulatedBoardTest, an_injected_fault_fails_that_many_calls) {
    auto line = board->open_gpio(led, {.direction = Direction::output});
    ASSERT_TRUE(board->inject(
        led, {.operation = GpioOperation::write, .code = ErrorCode::io, .message = "wire cut", .times = 2}));
    EXPECT_THAT(line->write(true).error().message(), HasSubstr("gpiochip0:0 (RED): wire cut"));
    EXPECT_TRUE(line->read());
    EXPECT_FALSE(line->write(true));
    EXPECT_TRUE(line->write(true));
}

TEST_F(SimulatedBoardTest, options_that_contradict_each_other_are_refused) {
    std::array const wrong{
        GpioOptions{.direction = Direction::output, .edges = Edges::both},
        GpioOptions{.direction = Direction::output, .debounce = 1ms},
        GpioOptions{.drive = Drive::open_drain},
        GpioOptions{.initial_value = true},
        GpioOptions{.debounce = -1us},
        GpioOptions{.event_buffer = 0},
        GpioOptions{.event_buffer = 1025},
    };
    for (GpioOptions const& options : wrong) {
        auto const opened = board->open_gpio(led, options);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code(), ErrorCode::invalid_argument);
    }
}

TEST_F(SimulatedBoardTest, a_line_can_be_configured_anew_while_held) {
    auto line = board->open_gpio(button);
    ASSERT_TRUE(line->configure({.edges = Edges::both}));
    ASSERT_TRUE(board->drive(button, true));
    EXPECT_EQ(line->read_edges()->size(), 1U);
    ASSERT_TRUE(board->release(button));
    ASSERT_TRUE(line->configure({.direction = Direction::output, .initial_value = true}));
    EXPECT_TRUE(*board->level(button));
    EXPECT_EQ(line->edge_descriptor(), -1);
    EXPECT_FALSE(line->configure({.drive = Drive::open_source}));
    EXPECT_EQ(line->options().direction, Direction::output);
}

TEST_F(SimulatedBoardTest, a_board_needs_sensible_chips) {
    EXPECT_FALSE(SimulatedBoard::create({}, clock));
    EXPECT_FALSE(
        SimulatedBoard::create({{.label = "x", .line_count = 0, .names = {}, .pairs = false}}, clock));
    EXPECT_FALSE(
        SimulatedBoard::create({{.label = "x", .line_count = 1025, .names = {}, .pairs = false}}, clock));
    EXPECT_FALSE(SimulatedBoard::create(
        {{.label = "x", .line_count = 1, .names = {"A", "B"}, .pairs = false}}, clock));
}

TEST_F(SimulatedBoardTest, two_threads_may_use_both_sides_at_once) {
    auto line = board->open_gpio(button, {.edges = Edges::both, .event_buffer = 1024});
    std::thread outside([&] {
        for (int i = 0; i < 200; ++i) {
            ASSERT_TRUE(board->drive(button, i % 2 == 0));
        }
    });
    std::size_t seen = 0;
    while (seen < 200) {
        auto const edges = line->read_edges();
        for (EdgeEvent const& edge : *edges) {
            EXPECT_EQ(edge.sequence, ++seen);
            EXPECT_EQ(edge.missed, 0U);
        }
    }
    outside.join();
}

} // namespace
} // namespace sinew::circuits
