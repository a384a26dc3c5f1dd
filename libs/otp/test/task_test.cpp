// Tasks, against Elixir's rules.
#include "task_world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

class Tasks : public TaskTest {};

TEST_F(Tasks, run_beside_their_owner_and_give_their_result) {
    run([](Owner& owner) -> Async<> {
        auto a = async([] { return 1; });
        auto b = async([] { return after(1s, 2); });
        Result<int> const first = co_await a.await();
        owner.say(first);
        Result<int> const second = co_await b.await();
        owner.say(second);
    });
    EXPECT_THAT(lines(), ElementsAre("1"));
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("1", "2"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
}

TEST_F(Tasks, without_a_result_can_be_awaited_too) {
    run([](Owner& owner) -> Async<> {
        auto task = async([] {});
        Result<> const done = co_await task.await();
        owner.say(done ? "done" : "failed");
    });
    EXPECT_THAT(lines(), ElementsAre("done"));
}

TEST_F(Tasks, are_awaited_together_within_one_limit) {
    run([](Owner& owner) -> Async<> {
        std::vector<Task<int>> tasks;
        for (auto const time : {2s, 1s, 4s, 3s}) {
            tasks.push_back(async_nolink([time] { return after(time, static_cast<int>(time.count())); }));
        }
        auto waiting = await_many(std::move(tasks), 3500ms);
        std::vector<Result<int>> const results = co_await waiting;
        for (Result<int> const& result : results) {
            owner.say(result);
        }
    });
    simulation.advance(3500ms);
    EXPECT_THAT(lines(), ElementsAre("2", "1", HasSubstr("timed_out"), "3"));
}

TEST_F(Tasks, leave_nothing_in_the_mailbox_of_an_owner_that_traps_exits) {
    run(
        [](Owner& owner) -> Async<> {
            auto task = async([] { return 1; });
            co_await pause(1s);
            Result<int> const result = co_await task.await();
            owner.say(result);
        },
        true);
    simulation.advance(10s);
    EXPECT_THAT(lines(), ElementsAre("1"));
}

TEST_F(Tasks, that_crash_end_their_owner_by_the_link) {
    auto const owner = run([](Owner& self) -> Async<> {
        auto task = async([]() -> int { throw std::runtime_error("boom"); });
        Result<int> const result = co_await task.await();
        self.say(result);
    });
    simulation.run_until_settled();
    EXPECT_FALSE(is_alive(owner));
}

TEST_F(Tasks, that_crash_are_an_error_without_the_link) {
    auto const owner = run([](Owner& self) -> Async<> {
        auto task = async_nolink([]() -> int { throw std::runtime_error("boom"); });
        Result<int> const result = co_await task.await();
        self.say(result);
    });
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("unavailable: the task")));
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("std::runtime_error: boom")));
    EXPECT_TRUE(is_alive(owner));
}

TEST_F(Tasks, that_are_killed_are_an_error_without_the_link) {
    run([](Owner& self) -> Async<> {
        auto task = async_nolink([] { return after(1h, 1); });
        exit(task.pid(), ExitReason::kill());
        Result<int> const result = co_await task.await();
        self.say(result);
    });
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("killed")));
}

TEST_F(Tasks, that_take_too_long_are_ended_and_never_heard_of_again) {
    run(
        [](Owner& self) -> Async<> {
            auto task = async([] { return after(10s, 1); });
            Result<int> const result = co_await task.await(1s);
            self.say(result);
            co_await pause(1min);
        },
        true);
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("timed_out")));
    EXPECT_EQ(simulation.node().process_count(), 1U);
    simulation.advance(2min);
    EXPECT_EQ(lines().size(), 1U);
}

TEST_F(Tasks, can_be_looked_at_while_they_go_on) {
    run([](Owner& self) -> Async<> {
        auto task = async([] { return after(3s, 5); });
        for (;;) {
            std::optional<Result<int>> const result = co_await task.yield(2s);
            if (result) {
                self.say(*result);
                co_return;
            }
            self.say("not yet");
        }
    });
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("not yet"));
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("not yet", "5"));
}

TEST_F(Tasks, that_are_done_before_they_are_awaited_keep_their_result) {
    run([](Owner& self) -> Async<> {
        auto task = async([] { return 4; });
        co_await pause(1s);
        self.say(task.is_done() ? "done" : "not done");
        Result<int> const result = co_await task.await();
        self.say(result);
    });
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("done", "4"));
}

TEST_F(Tasks, end_with_their_owner) {
    auto const owner = run([](Owner& self) -> Async<> {
        self.tasks.push_back(async([] { return after(1h, 1); }));
        co_return;
    });
    EXPECT_EQ(simulation.node().process_count(), 2U);
    exit(owner, ExitReason::kill());
    simulation.run_until_settled();
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

TEST_F(Tasks, end_when_they_are_destroyed_unless_ignored) {
    run([](Owner& /*self*/) -> Async<> {
        {
            auto const dropped = async([] { return after(1h, 1); });
        }
        auto ignored = async([] { return after(10s, 1); });
        ignored.ignore();
        co_return;
    });
    simulation.run_until_settled();
    EXPECT_EQ(simulation.node().process_count(), 2U);
    simulation.advance(10s);
    EXPECT_EQ(simulation.node().process_count(), 1U);
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(Tasks, shut_down_give_the_result_they_had) {
    run(
        [](Owner& self) -> Async<> {
            auto quick = async([] { return 1; });
            auto slow = async([] { return after(1h, 2); });
            co_await pause(1s);
            auto first = quick.shutdown();
            std::optional<Result<int>> const result = co_await first;
            self.say(result ? **result : -1);
            auto second = slow.shutdown();
            std::optional<Result<int>> const nothing = co_await second;
            self.say(nothing ? "something" : "nothing");
        },
        true);
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("1", "nothing"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
}

TEST_F(Tasks, that_ignore_their_shutdown_are_killed) {
    run([](Owner& self) -> Async<> {
        auto stubborn = async([]() -> Async<int> {
            set_trap_exit(true);
            co_await pause(1h);
            co_return 1;
        });
        co_await pause(1ms);
        auto ending = stubborn.shutdown(1s);
        std::optional<Result<int>> const nothing = co_await ending;
        self.say(nothing ? "something" : "nothing");
    });
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("nothing"));
    EXPECT_EQ(simulation.node().process_count(), 1U);
}

TEST_F(Tasks, can_be_awaited_once_and_by_their_owner_only) {
    auto const owner = run([](Owner& self) -> Async<> {
        auto task = async([] { return 1; });
        Result<int> const result = co_await task.await();
        self.say(result);
        Result<int> const again = co_await task.await();
        self.say(again);
    });
    EXPECT_THAT(lines(), ElementsAre("1"));
    EXPECT_TRUE(simulation.has_logged("the result of this task was taken already"));
    EXPECT_FALSE(is_alive(owner));
}

TEST_F(Tasks, can_run_under_a_supervisor) {
    auto const supervisor =
        simulation.node().start<DynamicSupervisor>({}, DynamicSupervisor::Options{.max_children = 1}).value();
    run([supervisor](Owner& self) -> Async<> {
        auto task = async_nolink(supervisor, [] { return after(1s, 3); });
        auto refused = async_nolink(supervisor, [] { return 4; });
        Result<int> const first = co_await task.await();
        self.say(first);
        Result<int> const second = co_await refused.await();
        self.say(second);
    });
    EXPECT_EQ(call(supervisor, CountChildren{}).value().active, 1U);
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("3", HasSubstr("unavailable: the task")));
    EXPECT_EQ(call(supervisor, CountChildren{}).value().active, 0U);
}

TEST_F(Tasks, under_a_supervisor_do_not_outlive_it_and_are_not_restarted) {
    auto const supervisor =
        simulation.node().start<DynamicSupervisor>({}, DynamicSupervisor::Options{}).value();
    run([supervisor](Owner& self) -> Async<> {
        auto crashing = async_nolink(supervisor, []() -> int { throw std::runtime_error("boom"); });
        auto waiting = async_nolink(supervisor, [] { return after(1h, 3); });
        Result<int> const first = co_await crashing.await();
        self.say(first);
        Result<int> const second = co_await waiting.await(2h);
        self.say(second);
    });
    simulation.advance(1s);
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("boom"), HasSubstr("shutdown")));
}

} // namespace
} // namespace sinew::testing
