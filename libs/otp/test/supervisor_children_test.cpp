// Children of supervisors: specifications, changes at run time, significant ones; against what real OTP was
// observed to do.
#include "supervisor_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SupervisorChildren : public SupervisorTest {};
SINEW_IN_BOTH_WORLDS(SupervisorChildren);

TEST_P(SupervisorChildren, which_children_has_the_newest_first_and_count_children_counts) {
    Supervisor const inner = supervise(Strategy::one_for_one, {});
    auto const supervisor =
        world.node()
            .start(supervise(Strategy::one_for_one, {worker("a"), child(inner, {.id = "b"}), worker("c")}))
            .value();
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b", "a"));
    EXPECT_EQ(call(supervisor, CountChildren{}).value(),
              (ChildCounts{.specs = 3, .active = 3, .supervisors = 1, .workers = 2}));
}

TEST_P(SupervisorChildren, two_children_with_one_id_are_refused) {
    auto const started = world.node().start(supervise(Strategy::one_for_one, {worker("a"), worker("a")}));
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("two children have the id 'a'"));
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(SupervisorChildren, bad_specifications_are_refused_with_a_sentence) {
    auto const error_of = [this](SupervisorOptions const& options, ChildSpec spec) {
        auto const started = world.node().start(Supervisor{options, {std::move(spec)}});
        return started ? std::string("started") : started.error().message();
    };
    EXPECT_THAT(error_of({.period = 0s}, worker("a")), HasSubstr("period must be longer than zero"));
    EXPECT_THAT(error_of({}, child(supervise(Strategy::one_for_one, {}), {})), HasSubstr("has no id"));
    EXPECT_THAT(error_of({}, ChildSpec{.id = "a"}), HasSubstr("nothing to start"));
    EXPECT_THAT(
        error_of({.auto_shutdown = AutoShutdown::any_significant}, worker("a", {.is_significant = true})),
        HasSubstr("both significant and permanent"));
    EXPECT_THAT(error_of({}, worker("a", {.restart = Restart::transient, .is_significant = true})),
                HasSubstr("auto_shutdown is never"));
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(SupervisorChildren, start_child_adds_one_at_the_end) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    auto const pid = call(supervisor, StartChild{worker("d")});
    ASSERT_TRUE(pid) << pid.error().message();
    EXPECT_EQ(whereis(name<Worker>("d")).pid(), *pid);
    EXPECT_THAT(ids(supervisor), ElementsAre("d", "c", "b", "a"));
}

TEST_P(SupervisorChildren, start_child_refuses_an_id_that_is_running_or_present) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    EXPECT_THAT(call(supervisor, StartChild{worker("b")}).error().message(), HasSubstr("running already"));
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    auto const again = call(supervisor, StartChild{worker("b")});
    EXPECT_EQ(again.error().code(), ErrorCode::exists);
    EXPECT_THAT(again.error().message(), HasSubstr("present already, but not running"));
}

TEST_P(SupervisorChildren, a_child_that_fails_to_start_later_is_not_kept) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    auto const failed = call(supervisor, StartChild{worker("d", [](int) -> Result<Start> {
                                 return failure(ErrorCode::denied, "nope");
                             })});
    EXPECT_THAT(failed.error().message(), HasSubstr("nope"));
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b", "a"));
}

TEST_P(SupervisorChildren, terminate_restart_and_delete_follow_otps_rules) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    EXPECT_THAT(call(supervisor, DeleteChild{"b"}).error().message(), HasSubstr("running"));
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b stopped", "a"));
    ASSERT_TRUE(call(supervisor, RestartChild{"b"}));
    EXPECT_EQ(call(supervisor, RestartChild{"b"}).error().code(), ErrorCode::exists);
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    ASSERT_TRUE(call(supervisor, DeleteChild{"b"}));
    EXPECT_EQ(call(supervisor, RestartChild{"b"}).error().code(), ErrorCode::not_found);
    EXPECT_EQ(call(supervisor, TerminateChild{"b"}).error().code(), ErrorCode::not_found);
    EXPECT_EQ(call(supervisor, DeleteChild{"b"}).error().code(), ErrorCode::not_found);
}

TEST_P(SupervisorChildren, a_child_that_was_stopped_on_demand_stays_stopped) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    crash("a");
    EXPECT_THAT(lines(), ElementsAre("down b shutdown", "down a std::runtime_error: boom", "up a"));
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b stopped", "a"));
}

TEST_P(SupervisorChildren, a_child_whose_start_says_ignore_is_kept_without_a_process) {
    auto const ignores = [](int) { return Result<Start>(Start::ignore); };
    auto const supervisor =
        world.node()
            .start(supervise(Strategy::one_for_one,
                             {worker("a", ignores), worker("t", ignores, {.restart = Restart::temporary})}))
            .value();
    EXPECT_THAT(ids(supervisor), ElementsAre("a stopped"));
}

TEST_P(SupervisorChildren, any_significant_child_that_ends_stops_the_supervisor) {
    auto const supervisor = start_abc(Strategy::one_for_one, {.auto_shutdown = AutoShutdown::any_significant},
                                      {.restart = Restart::transient, .is_significant = true});
    watch(supervisor);
    end("b", ExitReason::normal());
    EXPECT_THAT(lines(),
                ElementsAre("down b normal", "down c shutdown", "down a shutdown", "w: DOWN ? shutdown"));
}

TEST_P(SupervisorChildren, all_significant_children_must_end_to_stop_the_supervisor) {
    ChildOptions const significant{.restart = Restart::transient, .is_significant = true};
    auto const supervisor =
        world.node()
            .start(supervise(SupervisorOptions{.auto_shutdown = AutoShutdown::all_significant},
                             {worker("a", significant), worker("b", significant)}))
            .value();
    end("a", ExitReason::normal());
    world.settle();
    EXPECT_TRUE(is_alive(supervisor));
    end("b", ExitReason::normal());
    world.settle();
    EXPECT_FALSE(is_alive(supervisor));
}

TEST_P(SupervisorChildren, children_are_reachable_by_class_or_by_id) {
    class Single : public Server<Single> {};
    auto const supervisor =
        world.node().start(supervise(Strategy::one_for_one, {child<Single>(), worker("b")})).value();
    EXPECT_TRUE(whereis(name<Single>));
    EXPECT_TRUE(whereis(name<Worker>("b")));
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    EXPECT_FALSE(whereis(name<Single>));
    EXPECT_FALSE(whereis(name<Worker>("b")));
}

TEST(SupervisorShutdowns, of_negative_time_are_refused) {
    Simulation simulation;
    ChildSpec const bad = child<Worker>({.name = "it"}, {.id = "it", .shutdown = Shutdown::after(-1s)});
    auto const tree = simulation.node().start(supervise(Strategy::one_for_one, {bad}));
    ASSERT_FALSE(tree);
    EXPECT_THAT(tree.error().message(), HasSubstr("child 'it' has a negative shutdown time"));
    auto const dynamic = simulation.node().start<DynamicSupervisor>({}, DynamicSupervisor::Options{}).value();
    auto const started = call(dynamic, StartChild{bad});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("negative shutdown time"));
}

} // namespace
} // namespace sinew::testing
