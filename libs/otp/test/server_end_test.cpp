// How servers end: stop, terminate, what is reported; against what real OTP was observed to do.
#include "answerer.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ServerEnds : public AnswererTest {};
SINEW_IN_BOTH_WORLDS(ServerEnds);

TEST_P(ServerEnds, stop_waits_for_the_end) {
    auto const server = start_answerer();
    EXPECT_TRUE(stop_and_wait(server, ExitReason::error("bye")));
    EXPECT_FALSE(is_alive(server));
    EXPECT_THAT(lines(), ElementsAre("terminate error: bye"));
}

TEST_P(ServerEnds, stop_outside_a_process_says_what_to_use_there) {
    auto const server = start_answerer();
    try {
        (void)stop(server);
        FAIL() << "nothing would have happened";
    } catch (std::logic_error const& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("stop_and_wait()"));
    }
    EXPECT_TRUE(is_alive(server));
}

TEST_P(ServerEnds, stopping_a_dead_process_is_not_found) {
    auto const server = start_answerer();
    ASSERT_TRUE(stop_and_wait(server));
    EXPECT_EQ(stop_and_wait(server).error().code(), ErrorCode::not_found);
}

TEST_P(ServerEnds, terminate_runs_after_a_crash) {
    auto const server = start_answerer();
    (void)call(server, Fail{});
    EXPECT_THAT(lines(), ElementsAre("terminate std::runtime_error: crashed"));
}

TEST_P(ServerEnds, terminate_does_not_run_on_an_exit_signal_without_trapping) {
    auto const server = start_answerer();
    exit(server, ExitReason::shutdown());
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_FALSE(is_alive(server));
}

TEST_P(ServerEnds, terminate_does_not_run_on_kill) {
    auto const a = start("a", Probe::Options{.traps_exit = true, .journals_terminate = true});
    exit(a, ExitReason::kill());
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(ServerEnds, while_trapping_the_exit_of_another_than_the_parent_is_a_message) {
    auto const a = start("a", Probe::Options{.traps_exit = true, .journals_terminate = true});
    exit(a, ExitReason::shutdown());
    EXPECT_THAT(lines(), ElementsAre("a: EXIT ? shutdown"));
    EXPECT_TRUE(is_alive(a));
}

TEST_P(ServerEnds, while_trapping_the_exit_of_the_parent_terminates) {
    for (ExitReason const& reason : {ExitReason::error("parent_gone"), ExitReason::normal()}) {
        journal.clear();
        auto const parent = start("parent");
        in(parent, [this](Probe&) {
            spawn_link<Probe>(Probe::Options{
                .name = "a", .journal = &journal, .traps_exit = true, .journals_terminate = true});
        });
        in(parent, [reason](Probe&) { exit_self(reason); });
        EXPECT_THAT(lines(), ElementsAre("a: terminate " + reason.to_string()));
    }
}

TEST_P(ServerEnds, a_crash_in_terminate_replaces_the_reason) {
    class Stubborn : public Server<Stubborn> {
    public:
        void terminate(ExitReason const& /*reason*/) { throw std::runtime_error("in terminate"); }
    };
    auto const server = world.node().start<Stubborn>().value();
    watch(server);
    EXPECT_FALSE(stop_and_wait(server));
    EXPECT_THAT(lines(), ElementsAre("w: DOWN ? std::runtime_error: in terminate"));
}

TEST_P(ServerEnds, a_reply_of_a_handler_that_stops_is_sent_even_if_terminate_crashes) {
    class Stubborn : public Server<Stubborn> {
    public:
        std::string handle_call(StopWithReply /*request*/) {
            stop();
            return "bye";
        }
        void terminate(ExitReason const& /*reason*/) { throw std::runtime_error("in terminate"); }
    };
    auto const server = world.node().start<Stubborn>().value();
    watch(server);
    EXPECT_EQ(call(server, StopWithReply{}).value(), "bye");
    EXPECT_THAT(lines(), ElementsAre("w: DOWN ? std::runtime_error: in terminate"));
}

TEST(Reports, are_made_for_ends_that_are_out_of_order_only) {
    for (ExitReason const& reason :
         {ExitReason::normal(), ExitReason::shutdown(), ExitReason::shutdown("enough")}) {
        Simulation simulation;
        Journal journal;
        auto const server = simulation.node().start<Answerer>({}, std::ref(journal)).value();
        ASSERT_TRUE(stop_and_wait(server, reason));
        EXPECT_THAT(simulation.log_lines(), IsEmpty()) << reason.to_string();
    }
    Simulation simulation;
    Journal journal;
    auto const server = simulation.node().start<Answerer>({}, std::ref(journal)).value();
    ASSERT_TRUE(stop_and_wait(server, ExitReason::error("bye")));
    EXPECT_TRUE(simulation.has_logged("bye"));
}

TEST(Reports, name_messages_that_nobody_handles_and_the_process_lives_on) {
    Simulation simulation;
    class Deaf : public Server<Deaf> {
    public:
        void init() { set_trap_exit(true); }
    };
    auto const server = simulation.node().start<Deaf>().value();
    exit(server, ExitReason::error("ignored"));
    simulation.run_until_settled();
    EXPECT_TRUE(is_alive(server));
    EXPECT_TRUE(simulation.has_logged("an Exit message"));
}

} // namespace
} // namespace sinew::testing
