// Tasks and streams of tasks, against Elixir's rules.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Runs a coroutine that waits for tasks, and counts what its mailbox brings.
struct Work {
    std::function<Async<>(class Owner&)> function;
};
class Owner : public Server<Owner> {
public:
    explicit Owner(Journal& journal, bool traps_exit = false)
        : m_journal(&journal)
        , m_traps_exit(traps_exit) {}
    void init() { set_trap_exit(m_traps_exit); }
    Async<> handle_info(Work work) {
        auto const function = std::make_shared<std::function<Async<>(Owner&)>>(std::move(work.function));
        Async<> running = (*function)(*this);
        co_await running;
    }
    void handle_info(Exit exit) { say("EXIT " + exit.reason.to_string()); }
    void handle_info(Down down) { say("DOWN " + down.reason.to_string()); }
    void say(std::string const& text) { m_journal->add(text); }
    void say(Result<int> const& result) {
        say(result ? std::to_string(*result)
                   : std::string(to_string(result.error().code())) + ": " + result.error().message());
    }
    std::vector<Task<int>> tasks;

private:
    Journal* m_journal;
    bool m_traps_exit;
};

Async<int> after(Duration time, int value) {
    co_await pause(time);
    co_return value;
}

class Tasks : public ::testing::Test {
protected:
    ServerRef<Owner> start(bool traps_exit = false) {
        return simulation.node().start<Owner>({}, std::ref(journal), traps_exit).value();
    }
    ServerRef<Owner> run(std::function<Async<>(Owner&)> function, bool traps_exit = false) {
        auto const owner = start(traps_exit);
        send(owner, Work{std::move(function)});
        simulation.run_until_settled();
        return owner;
    }
    std::vector<std::string> lines() {
        simulation.run_until_settled();
        return journal.lines();
    }
    Simulation simulation;
    Journal journal;
};

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

class TaskStreams : public Tasks {
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
