// Streams of tasks, against Elixir's rules.
#include "task_world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TaskStreams : public TaskTest {
protected:
    /// Reads the whole stream of after(delay(item), item) into the journal.
    ServerRef<Owner> read_all(std::vector<int> items, std::function<Duration(int)> delay,
                              TaskStreamOptions options) {
        return run(
            [items = std::move(items), delay = std::move(delay), options](Owner& self) -> Async<> {
                auto stream =
                    async_stream(items, [delay](int item) { return after(delay(item), item); }, options);
                for (;;) {
                    auto next = stream.next();
                    std::optional<Result<int>> const value = co_await next;
                    if (!value) {
                        break;
                    }
                    self.say(*value);
                }
                self.say("end");
            },
            true);
    }
};

TEST_F(TaskStreams, give_results_in_the_order_of_the_items) {
    read_all({3, 1, 2}, [](int item) { return Duration(item * 1s); }, {.max_concurrency = 3});
    simulation.advance(2s);
    EXPECT_THAT(lines(), IsEmpty());
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("3", "1", "2", "end"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
}

TEST_F(TaskStreams, give_results_as_they_are_done_when_unordered) {
    read_all({3, 1, 2}, [](int item) { return Duration(item * 1s); },
             {.max_concurrency = 3, .order = TaskOrder::unordered});
    simulation.advance(3s);
    EXPECT_THAT(lines(), ElementsAre("1", "2", "3", "end"));
}

TEST_F(TaskStreams, run_no_more_than_max_concurrency_at_a_time) {
    MonotonicTime const before = simulation.now();
    read_all({1, 2, 3, 4, 5, 6}, [](int) { return Duration(1s); }, {.max_concurrency = 2});
    // The owner, the runner and two tasks.
    EXPECT_EQ(simulation.node().process_count(), 4U);
    while (simulation.node().process_count() > 1) {
        simulation.advance(100ms);
    }
    EXPECT_EQ(simulation.now() - before, Duration(3s));
    EXPECT_EQ(lines().size(), 7U);
}

TEST_F(TaskStreams, of_nothing_end_at_once) {
    read_all({}, [](int) { return Duration(0); }, {});
    EXPECT_THAT(lines(), ElementsAre("end"));
}

TEST_F(TaskStreams, give_an_error_for_an_item_that_fails_and_go_on) {
    run([](Owner& self) -> Async<> {
        auto stream = async_stream(std::vector<int>{1, 2, 3}, [](int item) {
            if (item == 2) {
                throw std::runtime_error("no twos");
            }
            return item;
        });
        for (;;) {
            auto next = stream.next();
            std::optional<Result<int>> const value = co_await next;
            if (!value) {
                break;
            }
            self.say(*value);
        }
    });
    EXPECT_THAT(lines(), ElementsAre("1", HasSubstr("no twos"), "3"));
}

TEST_F(TaskStreams, end_after_an_item_that_takes_too_long) {
    read_all({1, 9, 2}, [](int item) { return Duration(item * 1s); }, {.max_concurrency = 1, .timeout = 5s});
    simulation.advance(20s);
    EXPECT_THAT(lines(), ElementsAre("1", HasSubstr("timed_out"), "end"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
}

TEST_F(TaskStreams, end_in_order_with_the_item_that_takes_too_long_whatever_is_done_behind_it) {
    read_all({1, 50, 2, 3}, [](int item) { return Duration(item * 100ms); },
             {.max_concurrency = 4, .timeout = 1s});
    simulation.advance(20s);
    EXPECT_THAT(lines(), ElementsAre("1", HasSubstr("timed_out"), "end"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
}

TEST_F(TaskStreams, end_unordered_with_the_item_that_takes_too_long_after_those_that_were_done) {
    read_all({1, 50, 2, 3, 60}, [](int item) { return Duration(item * 100ms); },
             {.max_concurrency = 5, .order = TaskOrder::unordered, .timeout = 1s});
    simulation.advance(20s);
    EXPECT_THAT(lines(), ElementsAre("1", "2", "3", HasSubstr("timed_out"), "end"));
}

TEST_F(TaskStreams, can_go_on_after_an_item_that_takes_too_long) {
    read_all({1, 9, 2}, [](int item) { return Duration(item * 1s); },
             {.max_concurrency = 1, .timeout = 5s, .on_timeout = TaskTimeout::kill_task});
    simulation.advance(20s);
    EXPECT_THAT(lines(), ElementsAre("1", HasSubstr("timed_out"), "2", "end"));
}

TEST_F(TaskStreams, that_are_dropped_early_end_all_tasks_and_leave_no_message) {
    run(
        [](Owner& self) -> Async<> {
            {
                auto stream =
                    async_stream(std::vector<int>{1, 2, 3, 4},
                                 [](int item) { return after(item * 1s, item); }, {.max_concurrency = 4});
                auto next = stream.next();
                std::optional<Result<int>> const value = co_await next;
                self.say(*value);
            }
            co_await pause(1min);
        },
        true);
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("1"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
    simulation.advance(5min);
    EXPECT_THAT(lines(), ElementsAre("1"));
}

TEST_F(TaskStreams, end_with_their_owner_whatever_its_reason) {
    for (ExitReason const& reason : {ExitReason::kill(), ExitReason::error("x")}) {
        auto const owner = start();
        send(owner, Work{[](Owner&) -> Async<> {
                 auto stream = async_stream(std::vector<int>{1, 2}, [](int item) { return after(1h, item); },
                                            {.max_concurrency = 2});
                 auto next = stream.next();
                 (void)co_await next;
             }});
        simulation.run_until_settled();
        EXPECT_EQ(simulation.node().process_count(), 4U);
        exit(owner, reason);
        simulation.run_until_settled();
        EXPECT_EQ(simulation.node().process_count(), 0U);
    }
}

} // namespace
} // namespace sinew::testing
