// Restarts that wait: back-off, and what it means for significant children.
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
using ::testing::IsEmpty;

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

TEST(SupervisorBackOff, a_wait_that_was_given_up_shortens_no_later_one) {
    Simulation simulation;
    Journal journal;
    auto const supervisor =
        simulation.node()
            .start(supervise(SupervisorOptions{.backoff = {.first = 10s, .longest = 10s}},
                             {child<Worker>({.name = "a", .journal = &journal}, {.id = "a"})}))
            .value();
    cast(name<Worker>("a"), Crash{});
    simulation.advance(1s); // it would come back 9 s from now
    ASSERT_TRUE(call(supervisor, TerminateChild{"a"}));
    ASSERT_TRUE(call(supervisor, RestartChild{"a"}));
    simulation.advance(4s);
    cast(name<Worker>("a"), Crash{});
    simulation.run_until_settled();
    journal.clear();
    simulation.advance(10s - 1ns);
    EXPECT_THAT(journal.lines(), IsEmpty());
    simulation.advance(1ns);
    EXPECT_THAT(journal.lines(), ElementsAre("up a"));
}

TEST(SupervisorBackOff, a_wait_that_another_restart_ended_does_not_spare_a_later_one_its_count) {
    Simulation simulation;
    Journal journal;
    auto const fails_at_its_second_start = [](int count) -> Result<Start> {
        return count == 2 ? Result<Start>(failure(ErrorCode::unavailable, "not yet")) : Start::running;
    };
    auto const supervisor =
        simulation.node()
            .start(supervise(
                SupervisorOptions{.strategy = Strategy::rest_for_one,
                                  .intensity = 2,
                                  .period = 1h,
                                  .backoff = {.first = 10s, .longest = 10s}},
                {child<Worker>({.name = "a", .journal = &journal}, {.id = "a"}),
                 child<Worker>({.name = "b", .journal = &journal, .on_start = fails_at_its_second_start},
                               {.id = "b"})}))
            .value();
    cast(name<Worker>("b"), Crash{}); // the first restart, which waits
    simulation.advance(1s);
    cast(name<Worker>("a"), Crash{}); // the second one, for both
    simulation.advance(1min);
    EXPECT_FALSE(is_alive(supervisor)) << "b failed to start: the third one";
}

TEST(SupervisorBackOff, a_significant_child_that_waits_counts_as_running) {
    Simulation simulation;
    Journal journal;
    auto const significant = [&journal](std::string const& id) {
        return child<Worker>({.name = id, .journal = &journal},
                             {.id = id, .restart = Restart::transient, .is_significant = true});
    };
    auto const tree = simulation.node()
                          .start(supervise(SupervisorOptions{.auto_shutdown = AutoShutdown::all_significant,
                                                             .backoff = {.first = 1s, .longest = 1s}},
                                           {significant("first"), significant("second")}))
                          .value();
    cast(name<Worker>("first"), Crash{});
    simulation.advance(100ms);
    cast(name<Worker>("second"), EndWith{ExitReason::normal()});
    simulation.advance(100ms);
    EXPECT_TRUE(is_alive(tree.pid())) << "the first one is still to come back";
    simulation.advance(5s);
    cast(name<Worker>("first"), EndWith{ExitReason::normal()});
    simulation.advance(1s);
    EXPECT_FALSE(is_alive(tree.pid()));
}

} // namespace
} // namespace sinew::testing
