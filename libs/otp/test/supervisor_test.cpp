// Supervisors: strategies, restarts, giving up, stops; against what real OTP was observed to do.
#include "supervisor_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Supervisors : public SupervisorTest {};
SINEW_IN_BOTH_WORLDS(Supervisors);

TEST_P(Supervisors, children_start_in_order_and_stop_in_reverse) {
    auto const supervisor =
        world.node().start(supervise(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")})).value();
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    EXPECT_THAT(lines(),
                ElementsAre("up a", "up b", "up c", "down c shutdown", "down b shutdown", "down a shutdown"));
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Supervisors, a_failing_start_stops_the_others_in_reverse_and_is_the_error) {
    auto const fails = [](int) -> Result<Start> { return failure(ErrorCode::denied, "nope"); };
    auto const started = world.node().start(
        supervise(Strategy::one_for_one, {worker("a"), worker("b"), worker("bad", fails), worker("c")}));
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("child 'bad'"));
    EXPECT_THAT(started.error().message(), HasSubstr("nope"));
    EXPECT_THAT(lines(), ElementsAre("up a", "up b", "down b shutdown", "down a shutdown"));
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Supervisors, one_for_one_restarts_only_the_child_that_crashed) {
    start_abc(Strategy::one_for_one);
    crash("b");
    EXPECT_THAT(lines(), ElementsAre("down b std::runtime_error: boom", "up b"));
}

TEST_P(Supervisors, one_for_all_stops_the_others_in_reverse_and_starts_all) {
    start_abc(Strategy::one_for_all);
    crash("b");
    EXPECT_THAT(lines(), ElementsAre("down b std::runtime_error: boom", "down c shutdown", "down a shutdown",
                                     "up a", "up b", "up c"));
}

TEST_P(Supervisors, rest_for_one_restarts_it_and_those_after_it) {
    start_abc(Strategy::rest_for_one);
    crash("b");
    EXPECT_THAT(lines(), ElementsAre("down b std::runtime_error: boom", "down c shutdown", "up b", "up c"));
}

TEST_P(Supervisors, temporary_children_stopped_for_others_do_not_come_back) {
    auto const supervisor = world.node()
                                .start(supervise(Strategy::one_for_all,
                                                 {worker("a"), worker("t", {.restart = Restart::temporary})}))
                                .value();
    journal.clear();
    crash("a");
    EXPECT_THAT(lines(), ElementsAre("down a std::runtime_error: boom", "down t shutdown", "up a"));
    EXPECT_THAT(ids(supervisor), ElementsAre("a"));
}

TEST_P(Supervisors, with_intensity_0_the_first_crash_is_final) {
    auto const supervisor = start_abc(Strategy::one_for_one, {.intensity = 0});
    watch(supervisor);
    crash("b");
    EXPECT_THAT(lines(), ElementsAre("down b std::runtime_error: boom", "down c shutdown", "down a shutdown",
                                     "w: DOWN ? shutdown"));
}

TEST_P(Supervisors, one_restart_more_than_the_intensity_ends_the_supervisor) {
    for (unsigned intensity = 1; intensity <= 3; ++intensity) {
        auto const supervisor = start_abc(Strategy::one_for_one, {.intensity = intensity, .period = 60s});
        for (unsigned i = 0; i < intensity; ++i) {
            crash("b");
            world.settle();
            ASSERT_TRUE(is_alive(supervisor)) << i << " of " << intensity;
        }
        crash("b");
        world.settle();
        EXPECT_FALSE(is_alive(supervisor)) << intensity;
        EXPECT_EQ(world.node().process_count(), 0U);
    }
}

TEST_P(Supervisors, giving_up_is_a_crash_for_the_supervisor_above) {
    Supervisor const inner = supervise(SupervisorOptions{.intensity = 0}, {worker("x"), worker("y")});
    auto const outer =
        world.node()
            .start(supervise(Strategy::one_for_one, {child(inner, {.id = "inner"}), worker("z")}))
            .value();
    journal.clear();
    crash("x");
    EXPECT_THAT(lines(), ElementsAre("down x std::runtime_error: boom", "down y shutdown", "up x", "up y"));
    EXPECT_TRUE(is_alive(outer));
    ASSERT_TRUE(stop_and_wait(outer, ExitReason::shutdown()));
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Supervisors, a_permanent_child_is_restarted_whatever_its_reason) {
    start_abc(Strategy::one_for_one);
    end("b", ExitReason::normal());
    EXPECT_THAT(lines(), ElementsAre("down b normal", "up b"));
    end("b", ExitReason::shutdown());
    EXPECT_THAT(lines(), ElementsAre("down b normal", "up b", "down b shutdown", "up b"));
}

TEST_P(Supervisors, a_transient_child_that_ends_in_order_stays_down_and_keeps_its_place) {
    for (ExitReason const& reason :
         {ExitReason::normal(), ExitReason::shutdown(), ExitReason::shutdown("enough")}) {
        auto const supervisor = start_abc(Strategy::one_for_one, {}, {.restart = Restart::transient});
        end("b", reason);
        world.settle();
        EXPECT_THAT(ids(supervisor), ElementsAre("c", "b stopped", "a"));
        ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    }
}

TEST_P(Supervisors, a_transient_child_that_crashes_is_restarted) {
    start_abc(Strategy::one_for_one, {}, {.restart = Restart::transient});
    crash("b");
    EXPECT_THAT(lines(), ElementsAre("down b std::runtime_error: boom", "up b"));
}

TEST_P(Supervisors, a_killed_child_is_restarted) {
    start_abc(Strategy::one_for_one, {}, {.restart = Restart::transient});
    exit(whereis(name<Worker>("b")), ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("up b"));
}

TEST_P(Supervisors, a_temporary_child_is_forgotten_however_it_ends) {
    for (bool const crashes : {true, false}) {
        auto const supervisor = start_abc(Strategy::one_for_one, {}, {.restart = Restart::temporary});
        crashes ? crash("b") : end("b", ExitReason::normal());
        world.settle();
        EXPECT_THAT(ids(supervisor), ElementsAre("c", "a"));
        ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    }
}

TEST_P(Supervisors, brutal_kill_does_not_ask) {
    auto const supervisor = start_abc(Strategy::one_for_one, {}, {.shutdown = Shutdown::brutal()});
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_FALSE(whereis(name<Worker>("b")));
}

TEST_P(Supervisors, a_child_that_does_not_stop_in_time_is_killed) {
    auto const supervisor =
        world.node()
            .start(supervise(Strategy::one_for_one,
                             {child<Worker>({.name = "s", .journal = &journal, .stop_takes = 1h},
                                            {.id = "s", .shutdown = Shutdown::after(50ms)})}))
            .value();
    watch(whereis(name<Worker>("s")));
    journal.clear();
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    EXPECT_THAT(lines(), ElementsAre("w: DOWN ? killed"));
}

TEST_P(Supervisors, a_child_that_unlinked_itself_can_not_hang_the_stop) {
    class Loner : public Server<Loner> {
    public:
        explicit Loner(Pid* parent)
            : m_parent(parent) {}
        void init() {
            *m_parent = links().front();
            unlink(*m_parent);
        }

    private:
        Pid* m_parent;
    };
    Pid parent;
    ChildSpec spec = detail::make_child_spec(std::make_shared<detail::ServerBlueprint<Loner, Pid*>>(&parent),
                                             detail::type_slot<Loner>, {.id = "loner"});
    auto const supervisor = world.node().start(Supervisor{{}, {spec}}).value();
    EXPECT_EQ(parent, supervisor.pid());
    EXPECT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Supervisors, a_restart_that_fails_is_tried_again_and_counts_each_time) {
    auto const fails_twice = [](int count) -> Result<Start> {
        if (count == 2 || count == 3) {
            return failure(ErrorCode::denied, "not yet");
        }
        return Start::running;
    };
    auto const supervisor =
        world.node().start(supervise(SupervisorOptions{.intensity = 5}, {worker("a", fails_twice)})).value();
    crash("a");
    EXPECT_THAT(lines(), ElementsAre("up a", "down a std::runtime_error: boom", "up a"));
    EXPECT_TRUE(is_alive(supervisor));
}

TEST_P(Supervisors, a_restart_that_keeps_failing_ends_the_supervisor) {
    auto const starts = std::make_shared<std::atomic<int>>(0);
    auto const supervisor =
        world.node()
            .start(supervise(SupervisorOptions{.intensity = 3},
                             {child<Worker>({.name = "a",
                                             .journal = &journal,
                                             .on_start = [](int count) -> Result<Start> {
                                                 if (count > 1) {
                                                     return failure(ErrorCode::denied, "never again");
                                                 }
                                                 return Start::running;
                                             },
                                             .starts = starts},
                                            {.id = "a"})}))
            .value();
    crash("a");
    world.settle();
    EXPECT_FALSE(is_alive(supervisor));
    EXPECT_EQ(*starts, 4);
}

TEST_P(Supervisors, a_restart_that_says_ignore_leaves_the_child_stopped) {
    auto const once = [](int count) { return Result<Start>(count == 1 ? Start::running : Start::ignore); };
    auto const supervisor = world.node().start(supervise(Strategy::one_for_one, {worker("a", once)})).value();
    crash("a");
    world.settle();
    EXPECT_THAT(ids(supervisor), ElementsAre("a stopped"));
}

TEST_P(Supervisors, an_exit_of_a_stranger_is_dropped) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    exit(supervisor, ExitReason::error("stranger"));
    world.settle();
    EXPECT_TRUE(is_alive(supervisor));
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Supervisors, killing_a_supervisor_ends_its_children) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    exit(supervisor, ExitReason::kill());
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST(SupervisorReports, say_who_ended_why_and_what_follows) {
    Simulation simulation;
    Journal journal;
    auto const supervisor =
        simulation.node()
            .start(supervise(SupervisorOptions{.intensity = 0},
                             {child<Worker>({.name = "led", .journal = &journal}, {.id = "led"})}))
            .value();
    cast(name<Worker>("led"), Crash{});
    simulation.run_until_settled();
    EXPECT_TRUE(simulation.has_logged("crashed: std::runtime_error: boom"));
    EXPECT_TRUE(simulation.has_logged("child 'led'"));
    EXPECT_TRUE(simulation.has_logged("gives up: more than 0 restarts within 5000 ms"));
    EXPECT_FALSE(is_alive(supervisor));
}

} // namespace
} // namespace sinew::testing
