// Supervisors, against what real OTP was observed to do.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
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

struct Crash {};
struct EndWith {
    ExitReason reason;
};

/// Tells the journal "up NAME" and "down NAME reason"; its start can be made to fail.
class Worker : public Server<Worker> {
public:
    struct Options {
        std::string name = {};
        Journal* journal = nullptr;
        /// Says what the n-th start does.
        std::function<Result<Start>(int)> on_start = {};
        std::shared_ptr<std::atomic<int>> starts = std::make_shared<std::atomic<int>>(0);
        bool ignores_shutdown = false;
    };
    explicit Worker(Options options)
        : m_options(std::move(options)) {}
    Result<Start> init() {
        set_trap_exit(true);
        int const count = ++*m_options.starts;
        Result<Start> result = m_options.on_start ? m_options.on_start(count) : Start::running;
        if (result && *result == Start::running) {
            m_options.journal->add("up " + m_options.name);
        }
        return result;
    }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    void handle_cast(EndWith message) { stop(std::move(message.reason)); }
    Async<> terminate(ExitReason reason) {
        if (m_options.ignores_shutdown) {
            co_await pause(std::chrono::hours(1));
        }
        m_options.journal->add("down " + m_options.name + " " + reason.to_string());
    }

private:
    Options m_options;
};

class Supervisors : public WorldTest {
protected:
    ChildSpec worker(std::string const& id, ChildOptions options = {}) {
        options.id = id;
        return child<Worker>({.name = id, .journal = &journal}, options);
    }
    ChildSpec worker(std::string const& id, std::function<Result<Start>(int)> on_start,
                     ChildOptions options = {}) {
        options.id = id;
        return child<Worker>({.name = id, .journal = &journal, .on_start = std::move(on_start)}, options);
    }
    /// Starts a, b, c under `strategy` and forgets their "up" lines.
    SupervisorRef start_abc(Strategy strategy, SupervisorOptions options = {}, ChildOptions for_b = {}) {
        options.strategy = strategy;
        auto const supervisor =
            world.node().start(supervise(options, {worker("a"), worker("b", for_b), worker("c")})).value();
        journal.clear();
        return supervisor;
    }
    static void crash(std::string const& id) { cast(name<Worker>(id), Crash{}); }
    static void end(std::string const& id, ExitReason reason) {
        cast(name<Worker>(id), EndWith{std::move(reason)});
    }
    static std::vector<std::string> ids(SupervisorRef supervisor) {
        std::vector<std::string> result;
        auto const children = call(supervisor, WhichChildren{}).value();
        for (ChildInfo const& info : children) {
            result.push_back(info.id + (info.state == ChildInfo::State::running      ? ""
                                        : info.state == ChildInfo::State::restarting ? " restarting"
                                                                                     : " stopped"));
        }
        return result;
    }
};
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

TEST_P(Supervisors, which_children_has_the_newest_first_and_count_children_counts) {
    Supervisor const inner = supervise(Strategy::one_for_one, {});
    auto const supervisor =
        world.node()
            .start(supervise(Strategy::one_for_one, {worker("a"), child(inner, {.id = "b"}), worker("c")}))
            .value();
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b", "a"));
    EXPECT_EQ(call(supervisor, CountChildren{}).value(),
              (ChildCounts{.specs = 3, .active = 3, .supervisors = 1, .workers = 2}));
}

TEST_P(Supervisors, two_children_with_one_id_are_refused) {
    auto const started = world.node().start(supervise(Strategy::one_for_one, {worker("a"), worker("a")}));
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("two children have the id 'a'"));
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Supervisors, bad_specifications_are_refused_with_a_sentence) {
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

TEST_P(Supervisors, start_child_adds_one_at_the_end) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    auto const pid = call(supervisor, StartChild{worker("d")});
    ASSERT_TRUE(pid) << pid.error().message();
    EXPECT_EQ(whereis(name<Worker>("d")).pid(), *pid);
    EXPECT_THAT(ids(supervisor), ElementsAre("d", "c", "b", "a"));
}

TEST_P(Supervisors, start_child_refuses_an_id_that_is_running_or_present) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    EXPECT_THAT(call(supervisor, StartChild{worker("b")}).error().message(), HasSubstr("running already"));
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    auto const again = call(supervisor, StartChild{worker("b")});
    EXPECT_EQ(again.error().code(), ErrorCode::exists);
    EXPECT_THAT(again.error().message(), HasSubstr("present already, but not running"));
}

TEST_P(Supervisors, a_child_that_fails_to_start_later_is_not_kept) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    auto const failed = call(supervisor, StartChild{worker("d", [](int) -> Result<Start> {
                                 return failure(ErrorCode::denied, "nope");
                             })});
    EXPECT_THAT(failed.error().message(), HasSubstr("nope"));
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b", "a"));
}

TEST_P(Supervisors, terminate_restart_and_delete_follow_otps_rules) {
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

TEST_P(Supervisors, a_child_that_was_stopped_on_demand_stays_stopped) {
    auto const supervisor = start_abc(Strategy::one_for_one);
    ASSERT_TRUE(call(supervisor, TerminateChild{"b"}));
    crash("a");
    EXPECT_THAT(lines(), ElementsAre("down b shutdown", "down a std::runtime_error: boom", "up a"));
    EXPECT_THAT(ids(supervisor), ElementsAre("c", "b stopped", "a"));
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
                             {child<Worker>({.name = "s", .journal = &journal, .ignores_shutdown = true},
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

TEST_P(Supervisors, a_child_whose_start_says_ignore_is_kept_without_a_process) {
    auto const ignores = [](int) { return Result<Start>(Start::ignore); };
    auto const supervisor =
        world.node()
            .start(supervise(Strategy::one_for_one,
                             {worker("a", ignores), worker("t", ignores, {.restart = Restart::temporary})}))
            .value();
    EXPECT_THAT(ids(supervisor), ElementsAre("a stopped"));
}

TEST_P(Supervisors, any_significant_child_that_ends_stops_the_supervisor) {
    auto const supervisor = start_abc(Strategy::one_for_one, {.auto_shutdown = AutoShutdown::any_significant},
                                      {.restart = Restart::transient, .is_significant = true});
    watch(supervisor);
    end("b", ExitReason::normal());
    EXPECT_THAT(lines(),
                ElementsAre("down b normal", "down c shutdown", "down a shutdown", "w: DOWN ? shutdown"));
}

TEST_P(Supervisors, all_significant_children_must_end_to_stop_the_supervisor) {
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

TEST_P(Supervisors, children_are_reachable_by_class_or_by_id) {
    class Single : public Server<Single> {};
    auto const supervisor =
        world.node().start(supervise(Strategy::one_for_one, {child<Single>(), worker("b")})).value();
    EXPECT_TRUE(whereis(name<Single>));
    EXPECT_TRUE(whereis(name<Worker>("b")));
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    EXPECT_FALSE(whereis(name<Single>));
    EXPECT_FALSE(whereis(name<Worker>("b")));
}

TEST(SupervisorBackOff, is_off_unless_asked_for_and_doubles_up_to_its_limit) {
    Simulation simulation;
    Journal journal;
    (void)simulation.node()
        .start(supervise(SupervisorOptions{.intensity = 100, .backoff = {.first = 1s, .longest = 3s}},
                         {child<Worker>({.name = "a", .journal = &journal}, {.id = "a"})}))
        .value();
    for (Duration const wait : {Duration(1s), Duration(2s), Duration(3s), Duration(3s)}) {
        cast(name<Worker>("a"), Crash{});
        simulation.run_until_settled();
        journal.clear();
        simulation.advance(wait - 1ns);
        EXPECT_THAT(journal.lines(), IsEmpty());
        simulation.advance(1ns);
        EXPECT_THAT(journal.lines(), ElementsAre("up a"));
    }
}

TEST(SupervisorBackOff, stops_the_others_at_once_and_starts_all_after_the_wait) {
    Simulation simulation;
    Journal journal;
    auto const supervisor =
        simulation.node()
            .start(supervise(SupervisorOptions{.strategy = Strategy::one_for_all, .backoff = {.first = 1s}},
                             {child<Worker>({.name = "a", .journal = &journal}, {.id = "a"}),
                              child<Worker>({.name = "b", .journal = &journal}, {.id = "b"})}))
            .value();
    journal.clear();
    cast(name<Worker>("b"), Crash{});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("down b std::runtime_error: boom", "down a shutdown"));
    journal.clear();
    simulation.advance(1s);
    EXPECT_THAT(journal.lines(), ElementsAre("up a", "up b"));
    EXPECT_TRUE(is_alive(supervisor));
}

TEST(SupervisorBackOff, does_not_keep_a_supervisor_from_stopping) {
    Simulation simulation;
    Journal journal;
    auto const supervisor =
        simulation.node()
            .start(supervise(SupervisorOptions{.backoff = {.first = 1h, .longest = 2h}},
                             {child<Worker>({.name = "a", .journal = &journal}, {.id = "a"})}))
            .value();
    cast(name<Worker>("a"), Crash{});
    simulation.run_until_settled();
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown()));
    EXPECT_EQ(simulation.node().process_count(), 0U);
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
