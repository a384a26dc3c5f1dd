// Edges as messages, under virtual time.
#include <sinew/base/result.hpp>
#include <sinew/circuits.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sinew::circuits {
namespace {

using namespace std::chrono_literals;

struct Seen {
    using Reply = std::vector<GpioEdge>;
};

class Doorbell : public Server<Doorbell> {
public:
    struct Options {
        std::shared_ptr<Board> board;
        GpioOptions gpio;
    };
    explicit Doorbell(Options options)
        : m_board(std::move(options.board))
        , m_options(std::move(options.gpio)) {}
    Result<> init() { return watch_edges(m_board, "BUTTON", m_options, self()); }
    void handle_info(GpioEdge edge) { m_seen.push_back(std::move(edge)); }
    std::vector<GpioEdge> handle_call(Seen /*question*/) { return m_seen; }

private:
    std::shared_ptr<Board> m_board;
    GpioOptions m_options;
    std::vector<GpioEdge> m_seen;
};

class EdgesTest : public ::testing::Test {
protected:
    testing::Simulation simulation{42};
    NodeClock clock;
    std::shared_ptr<SimulatedBoard> board = *SimulatedBoard::create(
        {{.label = "sim", .line_count = 2, .names = {"BUTTON"}, .pairs = false}}, clock);
    MonotonicTime start = simulation.now();
};

TEST_F(EdgesTest, an_edge_becomes_a_message_with_its_time) {
    auto const doorbell =
        simulation.node().start<Doorbell>({}, Doorbell::Options{board, {.edges = Edges::both}});
    ASSERT_TRUE(doorbell) << doorbell.error().message();
    simulation.advance(2s);
    ASSERT_TRUE(board->drive("BUTTON", true));
    simulation.run_until_settled();
    simulation.advance(1s);
    ASSERT_TRUE(board->drive("BUTTON", false));
    simulation.run_until_settled();
    auto const seen = call(*doorbell, Seen{});
    ASSERT_TRUE(seen) << seen.error().message();
    ASSERT_EQ(seen->size(), 2U);
    EXPECT_EQ(seen->at(0).line, "BUTTON");
    EXPECT_TRUE(seen->at(0).value);
    EXPECT_EQ(seen->at(0).timestamp, start + 2s);
    EXPECT_FALSE(seen->at(1).value);
    EXPECT_EQ(seen->at(1).timestamp, start + 3s);
    EXPECT_EQ(seen->at(1).sequence, 2U);
}

TEST_F(EdgesTest, debounce_runs_in_virtual_time) {
    auto const doorbell = simulation.node().start<Doorbell>(
        {}, Doorbell::Options{board, {.edges = Edges::rising, .debounce = 5ms}});
    ASSERT_TRUE(doorbell) << doorbell.error().message();
    simulation.run_until_settled();
    for (bool const bounce : {true, false, true}) {
        ASSERT_TRUE(board->drive("BUTTON", bounce));
        simulation.advance(1ms);
    }
    EXPECT_TRUE(call(*doorbell, Seen{})->empty());
    simulation.advance(10ms);
    auto const seen = *call(*doorbell, Seen{});
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen.at(0).timestamp, start + 2ms + 5ms);
}

TEST_F(EdgesTest, the_line_is_free_again_when_its_process_ended) {
    auto const doorbell =
        simulation.node().start<Doorbell>({}, Doorbell::Options{board, {.edges = Edges::both}});
    ASSERT_TRUE(doorbell);
    simulation.run_until_settled();
    EXPECT_FALSE(board->open_gpio("BUTTON"));
    exit(doorbell->pid(), ExitReason::kill());
    simulation.run_until_settled();
    EXPECT_TRUE(board->open_gpio("BUTTON"));
}

TEST_F(EdgesTest, the_line_is_free_again_when_its_process_ended_normally) {
    auto const doorbell =
        simulation.node().start<Doorbell>({}, Doorbell::Options{board, {.edges = Edges::both}});
    ASSERT_TRUE(doorbell);
    simulation.run_until_settled();
    ASSERT_TRUE(stop_and_wait(*doorbell));
    simulation.run_until_settled();
    EXPECT_TRUE(board->open_gpio("BUTTON"));
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

TEST_F(EdgesTest, a_line_that_fails_ends_its_process_with_the_reason) {
    auto const doorbell =
        simulation.node().start<Doorbell>({}, Doorbell::Options{board, {.edges = Edges::both}});
    ASSERT_TRUE(doorbell);
    simulation.run_until_settled();
    ASSERT_TRUE(board->inject("BUTTON", {.operation = GpioOperation::read_edges,
                                         .code = ErrorCode::unavailable,
                                         .message = "its chip is gone",
                                         .times = 1}));
    ASSERT_TRUE(board->drive("BUTTON", true));
    simulation.run_until_settled();
    EXPECT_FALSE(is_alive(doorbell->pid()));
    EXPECT_TRUE(simulation.has_logged("its chip is gone"));
}

TEST_F(EdgesTest, what_can_not_be_watched_is_an_error_at_once) {
    auto const no_edges = simulation.node().start<Doorbell>({}, Doorbell::Options{board, {}});
    ASSERT_FALSE(no_edges);
    EXPECT_THAT(no_edges.error().message(), ::testing::HasSubstr("reports no edges"));
}

TEST_F(EdgesTest, a_line_that_somebody_keeps_ends_its_process_after_a_second) {
    auto held = board->open_gpio("BUTTON", {.consumer = "thief"});
    auto const doorbell =
        simulation.node().start<Doorbell>({}, Doorbell::Options{board, {.edges = Edges::both}});
    ASSERT_TRUE(doorbell);
    simulation.advance(900ms);
    EXPECT_TRUE(is_alive(doorbell->pid()));
    simulation.advance(200ms);
    EXPECT_FALSE(is_alive(doorbell->pid()));
    EXPECT_TRUE(simulation.has_logged("held by 'thief'"));
}

/// A doorbell's next life hears edges, whatever the order in which it and its watcher end.
void expect_edges_after_an_end(std::uint64_t seed, ExitReason const& reason) {
    testing::Simulation simulation(seed);
    NodeClock const clock;
    std::shared_ptr<SimulatedBoard> const board = *SimulatedBoard::create(
        {{.label = "sim", .line_count = 2, .names = {"BUTTON"}, .pairs = false}}, clock);
    auto const tree = simulation.node().start(supervise(
        Strategy::one_for_one, {child<Doorbell>({board, {.edges = Edges::both}}, {.id = "doorbell"})}));
    ASSERT_TRUE(tree) << tree.error().message();
    simulation.run_until_settled();
    auto const before = whereis(name<Doorbell>("doorbell")).pid();
    (void)stop_and_wait(before, reason);
    simulation.advance(5s);
    auto const after = whereis(name<Doorbell>("doorbell")).pid();
    EXPECT_NE(after, before);
    ASSERT_TRUE(board->drive("BUTTON", true));
    simulation.run_until_settled();
    auto const seen = call(name<Doorbell>("doorbell"), Seen{});
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(seen->size(), 1U);
}

class EndTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(EndTest, after_a_crash_the_new_process_hears_edges) {
    expect_edges_after_an_end(GetParam(), ExitReason::error("crash"));
}

TEST_P(EndTest, after_a_normal_end_the_new_process_hears_edges) {
    expect_edges_after_an_end(GetParam(), ExitReason::normal());
}

INSTANTIATE_TEST_SUITE_P(Seeds, EndTest, ::testing::Range<std::uint64_t>(0, 16));

} // namespace
} // namespace sinew::circuits
