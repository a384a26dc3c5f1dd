// Dynamic supervisors: children that come and go, against OTP's rules.
#include "supervisor_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DynamicSupervisors : public WorldTest {
protected:
    ServerRef<DynamicSupervisor> start_supervisor(DynamicSupervisor::Options options = {}) {
        return world.node().start<DynamicSupervisor>({}, options).value();
    }
    Result<ServerRef<Worker>> add(ServerRef<DynamicSupervisor> supervisor, Worker::Options options,
                                  ChildOptions place = {}) {
        options.journal = &journal;
        place.is_registered = false;
        Result<Pid> started =
            call(supervisor, StartChild{child<Worker>(std::move(options), std::move(place))});
        if (!started) {
            return std::unexpected(std::move(started).error());
        }
        return ServerRef<Worker>(*started);
    }
};
SINEW_IN_BOTH_WORLDS(DynamicSupervisors);

TEST_P(DynamicSupervisors, start_empty_and_take_any_number_of_equal_children) {
    auto const supervisor = start_supervisor();
    EXPECT_EQ(call(supervisor, CountChildren{}).value(), ChildCounts{});
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(add(supervisor, {.name = "m"}));
    }
    EXPECT_EQ(call(supervisor, CountChildren{}).value(),
              (ChildCounts{.specs = 100, .active = 100, .supervisors = 0, .workers = 100}));
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(DynamicSupervisors, refuse_more_than_max_children) {
    auto const supervisor = start_supervisor({.max_children = 2});
    ASSERT_TRUE(add(supervisor, {.name = "a"}));
    auto const b = add(supervisor, {.name = "b"}, {.restart = Restart::temporary});
    ASSERT_TRUE(b);
    auto const refused = add(supervisor, {.name = "c"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::no_space);
    EXPECT_THAT(refused.error().message(), HasSubstr("max_children, 2"));
    cast(*b, EndWith{ExitReason::normal()});
    world.settle();
    EXPECT_TRUE(add(supervisor, {.name = "c"}));
}

TEST_P(DynamicSupervisors, restart_a_permanent_child_that_crashes) {
    auto const supervisor = start_supervisor();
    auto const a = add(supervisor, {.name = "a"}).value();
    cast(a, Crash{});
    EXPECT_THAT(lines(), ElementsAre("up a", "down a std::runtime_error: boom", "up a"));
    auto const children = call(supervisor, WhichChildren{}).value();
    ASSERT_EQ(children.size(), 1U);
    EXPECT_NE(children[0].pid, a.pid());
    EXPECT_TRUE(is_alive(children[0].pid));
}

TEST_P(DynamicSupervisors, forget_temporary_children_and_transient_ones_that_end_in_order) {
    auto const supervisor = start_supervisor();
    auto const temporary = add(supervisor, {.name = "a"}, {.restart = Restart::temporary}).value();
    auto const transient = add(supervisor, {.name = "b"}, {.restart = Restart::transient}).value();
    cast(temporary, Crash{});
    cast(transient, EndWith{ExitReason::normal()});
    world.settle();
    EXPECT_EQ(call(supervisor, CountChildren{}).value(), ChildCounts{});
}

TEST_P(DynamicSupervisors, give_up_after_too_many_restarts) {
    auto const supervisor = start_supervisor({.intensity = 1});
    watch(supervisor);
    auto const a = add(supervisor, {.name = "a"}).value();
    (void)add(supervisor, {.name = "b"}).value();
    cast(a, Crash{});
    world.settle();
    ASSERT_TRUE(is_alive(supervisor));
    auto const children = call(supervisor, WhichChildren{}).value();
    for (ChildInfo const& info : children) {
        cast(ServerRef<Worker>(info.pid), Crash{});
    }
    world.settle();
    EXPECT_FALSE(is_alive(supervisor));
    EXPECT_THAT(lines(), ::testing::Contains("w: DOWN ? shutdown"));
}

TEST_P(DynamicSupervisors, terminate_a_child_by_its_pid_and_do_not_restart_it) {
    auto const supervisor = start_supervisor();
    auto const a = add(supervisor, {.name = "a"}).value();
    ASSERT_TRUE(call(supervisor, TerminatePid{a}));
    EXPECT_EQ(call(supervisor, CountChildren{}).value(), ChildCounts{});
    EXPECT_THAT(lines(), ElementsAre("up a", "down a shutdown"));
    EXPECT_EQ(call(supervisor, TerminatePid{a}).error().code(), ErrorCode::not_found);
}

TEST_P(DynamicSupervisors, a_start_that_fails_is_its_error_and_leaves_nothing) {
    auto const supervisor = start_supervisor();
    auto const failed = add(supervisor, {.name = "a", .on_start = [](int) -> Result<Start> {
                                             return failure(ErrorCode::denied, "nope");
                                         }});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("nope"));
    EXPECT_EQ(call(supervisor, CountChildren{}).value(), ChildCounts{});
}

TEST_P(DynamicSupervisors, a_start_that_says_ignore_leaves_nothing) {
    auto const supervisor = start_supervisor();
    auto const ignored =
        add(supervisor, {.name = "a", .on_start = [](int) { return Result<Start>(Start::ignore); }});
    ASSERT_TRUE(ignored);
    EXPECT_FALSE(*ignored);
    EXPECT_EQ(call(supervisor, CountChildren{}).value(), ChildCounts{});
}

TEST_P(DynamicSupervisors, a_restart_that_fails_counts_and_is_tried_again) {
    auto const supervisor = start_supervisor({.intensity = 5});
    auto const starts = std::make_shared<std::atomic<int>>(0);
    auto const a = add(supervisor, {.name = "a",
                                    .on_start = [](int count) -> Result<Start> {
                                        if (count == 2 || count == 3) {
                                            return failure(ErrorCode::denied, "not yet");
                                        }
                                        return Start::running;
                                    },
                                    .starts = starts})
                       .value();
    cast(a, Crash{});
    world.settle();
    EXPECT_TRUE(is_alive(supervisor));
    EXPECT_EQ(*starts, 4);
    EXPECT_EQ(call(supervisor, CountChildren{}).value().active, 1U);
}

TEST_P(DynamicSupervisors, a_restart_that_keeps_failing_ends_the_supervisor) {
    auto const supervisor = start_supervisor({.intensity = 3});
    auto const starts = std::make_shared<std::atomic<int>>(0);
    auto const a = add(supervisor, {.name = "a",
                                    .on_start = [](int count) -> Result<Start> {
                                        if (count > 1) {
                                            return failure(ErrorCode::denied, "never again");
                                        }
                                        return Start::running;
                                    },
                                    .starts = starts})
                       .value();
    cast(a, Crash{});
    world.settle();
    EXPECT_FALSE(is_alive(supervisor));
    EXPECT_EQ(*starts, 4);
}

TEST_P(DynamicSupervisors, children_can_be_registered_by_an_id_of_their_own) {
    auto const supervisor = start_supervisor();
    ASSERT_TRUE(
        call(supervisor, StartChild{child<Worker>({.name = "a", .journal = &journal}, {.id = "the-a"})}));
    EXPECT_TRUE(whereis(name<Worker>("the-a")));
    auto const again =
        call(supervisor, StartChild{child<Worker>({.name = "a", .journal = &journal}, {.id = "the-a"})});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::exists);
}

TEST_P(DynamicSupervisors, refuse_specifications_without_a_start_and_significant_children) {
    auto const supervisor = start_supervisor();
    EXPECT_THAT(call(supervisor, StartChild{ChildSpec{.id = "x"}}).error().message(),
                HasSubstr("nothing to start"));
    EXPECT_THAT(add(supervisor, {.name = "a"}, {.restart = Restart::transient, .is_significant = true})
                    .error()
                    .message(),
                HasSubstr("significant"));
    auto const bad = world.node().start<DynamicSupervisor>({}, DynamicSupervisor::Options{.period = 0s});
    EXPECT_THAT(bad.error().message(), HasSubstr("period must be longer than zero"));
}

TEST_P(DynamicSupervisors, killed_take_their_children_with_them) {
    class Plain : public Server<Plain> {
    public:
        struct Options {};
        explicit Plain(Options /*options*/) {}
    };
    auto const supervisor = start_supervisor();
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(call(supervisor, StartChild{child<Plain>({}, {.is_registered = false})}));
    }
    exit(supervisor, ExitReason::kill());
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(DynamicSupervisors, can_be_children_of_supervisors_and_have_supervisors_as_children) {
    auto const root =
        world.node()
            .start(supervise(Strategy::one_for_one, {child<DynamicSupervisor>({}, {.id = "members"})}))
            .value();
    auto const members = name<DynamicSupervisor>("members");
    Supervisor const subtree =
        supervise(Strategy::one_for_one, {child<Worker>({.name = "x", .journal = &journal}, {.id = "x"})});
    ASSERT_TRUE(call(members, StartChild{child(subtree, {.id = "subtree"})}));
    EXPECT_EQ(call(members, CountChildren{}).value(),
              (ChildCounts{.specs = 1, .active = 1, .supervisors = 1, .workers = 0}));
    ASSERT_TRUE(stop_and_wait(root, ExitReason::shutdown()));
    EXPECT_THAT(lines(), ElementsAre("up x", "down x shutdown"));
}

TEST_P(DynamicSupervisors, templates_put_their_arguments_in_front) {
    struct Session : Server<Session> {
        Session(Journal* book, std::string first, int second)
            : journal(book) {
            journal->add(first + " " + std::to_string(second));
        }
        Journal* journal;
    };
    auto const sessions = child_template<Session>({.restart = Restart::temporary}, &journal);
    auto const supervisor = start_supervisor();
    ASSERT_TRUE(call(supervisor, StartChild{sessions(std::string("anna"), 1)}));
    ASSERT_TRUE(call(supervisor, StartChild{sessions(std::string("ben"), 2)}));
    EXPECT_THAT(lines(), ElementsAre("anna 1", "ben 2"));
}

class DynamicSupervisorsInTime : public ::testing::Test {
protected:
    ServerRef<DynamicSupervisor> start_supervisor(DynamicSupervisor::Options options = {}) {
        return simulation.node().start<DynamicSupervisor>({}, options).value();
    }
    Pid add(ServerRef<DynamicSupervisor> supervisor, Worker::Options options, ChildOptions place = {}) {
        options.journal = &journal;
        place.is_registered = false;
        return call(supervisor, StartChild{child<Worker>(std::move(options), std::move(place))}).value();
    }
    Simulation simulation;
    Journal journal;
};

TEST_F(DynamicSupervisorsInTime, stop_all_children_at_once) {
    auto const supervisor = start_supervisor();
    for (int i = 0; i < 20; ++i) {
        add(supervisor, {.name = "m", .stop_takes = 2s});
    }
    MonotonicTime const before = simulation.now();
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown(), 1h));
    EXPECT_EQ(simulation.now() - before, Duration(2s));
    EXPECT_EQ(journal.lines().size(), 40U);
}

TEST_F(DynamicSupervisorsInTime, kill_those_that_do_not_stop_within_the_shared_time) {
    auto const supervisor = start_supervisor();
    add(supervisor, {.name = "quick"}, {.shutdown = Shutdown::after(1s)});
    add(supervisor, {.name = "slow", .stop_takes = 10s}, {.shutdown = Shutdown::after(1s)});
    add(supervisor, {.name = "slower", .stop_takes = 10s}, {.shutdown = Shutdown::after(3s)});
    MonotonicTime const before = simulation.now();
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown(), 1h));
    EXPECT_EQ(simulation.now() - before, Duration(3s));
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(),
                UnorderedElementsAre("up quick", "up slow", "up slower", "down quick shutdown"));
    EXPECT_EQ(simulation.node().process_count(), 0U);
    EXPECT_TRUE(simulation.has_logged("did not stop in order: killed"));
}

TEST_F(DynamicSupervisorsInTime, wait_without_limit_for_a_child_that_may_take_for_ever) {
    auto const supervisor = start_supervisor();
    add(supervisor, {.name = "patient", .stop_takes = 1h}, {.shutdown = Shutdown::infinity()});
    add(supervisor, {.name = "rude", .stop_takes = 1h}, {.shutdown = Shutdown::brutal()});
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown(), 2h));
    EXPECT_THAT(journal.lines(), ElementsAre("up patient", "up rude", "down patient shutdown"));
    EXPECT_FALSE(simulation.has_logged("did not stop in order"));
}

TEST_F(DynamicSupervisorsInTime, kill_a_child_whose_termination_takes_too_long) {
    auto const supervisor = start_supervisor();
    Pid const child = add(supervisor, {.name = "slow", .stop_takes = 10s}, {.shutdown = Shutdown::after(1s)});
    MonotonicTime const before = simulation.now();
    ASSERT_TRUE(call(supervisor, TerminatePid{child}, 1h));
    EXPECT_EQ(simulation.now() - before, Duration(1s));
    EXPECT_FALSE(is_alive(child));
}

TEST_F(DynamicSupervisorsInTime, serve_others_while_a_child_starts) {
    class Slow : public Server<Slow> {
    public:
        struct Options {};
        explicit Slow(Options /*options*/) {}
        Async<> init() { co_await pause(10s); }
    };
    auto const supervisor = start_supervisor();
    auto const asker =
        simulation.node().start<Probe>({}, Probe::Options{.name = "asker", .journal = &journal}).value();
    (void)call(asker, RunInside{[supervisor](Probe& probe) {
                   request(supervisor, StartChild{child<Slow>({}, {.is_registered = false})}, 1h)
                       .then([&probe](Result<Pid> pid) { probe.say(pid ? "started" : "failed"); });
               }});
    add(supervisor, {.name = "quick"});
    EXPECT_THAT(journal.lines(), ElementsAre("up quick"));
    simulation.advance(10s);
    EXPECT_THAT(journal.lines(), ElementsAre("up quick", "asker: started"));
}

TEST_F(DynamicSupervisorsInTime, stop_children_that_are_still_starting) {
    class Slow : public Server<Slow> {
    public:
        struct Options {};
        explicit Slow(Options /*options*/) {}
        Async<> init() { co_await pause(10s); }
    };
    auto const supervisor = start_supervisor();
    (void)call(supervisor, StartChild{child<Slow>({}, {.is_registered = false})}, 1s);
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    simulation.run_until_settled();
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

TEST_F(DynamicSupervisorsInTime, count_children_that_wait_for_their_restart) {
    auto const supervisor = start_supervisor({.max_children = 1, .backoff = {.first = 1s}});
    cast(ServerRef<Worker>(add(supervisor, {.name = "a"})), Crash{});
    simulation.run_until_settled();
    EXPECT_EQ(call(supervisor, WhichChildren{}).value().at(0).state, ChildInfo::State::restarting);
    EXPECT_EQ(call(supervisor, StartChild{child<Worker>({}, {.is_registered = false})}).error().code(),
              ErrorCode::no_space);
    simulation.advance(1s);
    EXPECT_EQ(call(supervisor, WhichChildren{}).value().at(0).state, ChildInfo::State::running);
}

TEST_F(DynamicSupervisorsInTime, with_back_off_wait_longer_from_restart_to_restart) {
    auto const supervisor = start_supervisor({.intensity = 100, .backoff = {.first = 1s, .longest = 4s}});
    add(supervisor, {.name = "a"});
    for (Duration const wait : {Duration(1s), Duration(2s), Duration(4s), Duration(4s)}) {
        cast(ServerRef<Worker>(call(supervisor, WhichChildren{}).value().at(0).pid), Crash{});
        simulation.run_until_settled();
        journal.clear();
        simulation.advance(wait - 1ns);
        EXPECT_THAT(journal.lines(), IsEmpty());
        simulation.advance(1ns);
        EXPECT_THAT(journal.lines(), ElementsAre("up a"));
    }
    simulation.advance(5s);
    cast(ServerRef<Worker>(call(supervisor, WhichChildren{}).value().at(0).pid), Crash{});
    simulation.run_until_settled();
    journal.clear();
    simulation.advance(1s);
    EXPECT_THAT(journal.lines(), ElementsAre("up a"));
}

} // namespace
} // namespace sinew::testing
