// How servers start: init(), names, limits; against what real OTP was observed to do.
#include "answerer.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ServerStarts : public AnswererTest {};
SINEW_IN_BOTH_WORLDS(ServerStarts);

TEST_P(ServerStarts, an_init_that_fails_is_an_error_with_its_text) {
    auto const started = world.node().start<Probe>(
        {}, Probe::Options{.journal = &journal, .on_init = [](Probe&) -> Result<Start> {
                               return failure(ErrorCode::denied, "no bus");
                           }});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(started.error().message(), HasSubstr("no bus"));
    world.settle(); // the starter hears of it a moment before the process is gone
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(ServerStarts, an_init_that_throws_is_an_error_with_its_exception) {
    auto const started = world.node().start<Probe>(
        {}, Probe::Options{.journal = &journal,
                           .on_init = [](Probe&) -> Result<Start> { throw std::runtime_error("oops"); }});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("std::runtime_error: oops"));
}

TEST_P(ServerStarts, an_init_that_says_ignore_starts_nothing_and_is_no_error) {
    auto const started = world.node().start<Probe>(
        {},
        Probe::Options{.journal = &journal, .on_init = [](Probe&) { return Result<Start>(Start::ignore); }});
    ASSERT_TRUE(started);
    EXPECT_FALSE(*started);
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(ServerStarts, a_failed_linked_start_leaves_no_exit_message_with_a_trapping_starter) {
    auto const starter = start_trapping("starter");
    in(starter, [this](Probe& probe) {
        start_link<Probe>({}, Probe::Options{.journal = &journal,
                                             .on_init = [](Probe&) -> Result<Start> {
                                                 return failure(ErrorCode::denied, "why");
                                             }})
            .then([&probe](Result<Pid> started) { probe.say(started ? "started" : "error"); });
    });
    EXPECT_THAT(lines(), ElementsAre("starter: error"));
}

TEST_P(ServerStarts, a_taken_name_is_an_error_that_names_its_owner) {
    auto const first = start_answerer("taken");
    auto const second = world.node().start<Answerer>({.name = "taken"}, std::ref(journal));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::exists);
    EXPECT_THAT(second.error().message(), HasSubstr(first.pid().to_string()));
    EXPECT_EQ(whereis(name<Answerer>("taken")), first);
}

TEST_P(ServerStarts, a_failing_start_frees_its_name_before_the_answer) {
    for (int i = 0; i < 20; ++i) {
        auto const failed = world.node().start<Probe>(
            {.name = "again"}, Probe::Options{.journal = &journal, .on_init = [](Probe&) -> Result<Start> {
                                                  return failure(ErrorCode::denied, "why");
                                              }});
        ASSERT_FALSE(failed);
        ASSERT_EQ(failed.error().code(), ErrorCode::unavailable);
        ASSERT_FALSE(whereis(name<Probe>("again")));
    }
}

TEST_P(ServerStarts, a_name_of_another_class_is_not_found) {
    start_answerer("mine");
    EXPECT_FALSE(whereis(name<Probe>("mine")));
}

TEST_P(ServerStarts, one_process_can_be_registered_by_its_class) {
    auto const server =
        world.node().start<Answerer>({.is_registered_by_type = true}, std::ref(journal)).value();
    EXPECT_EQ(whereis(name<Answerer>), server);
    EXPECT_EQ(call(name<Answerer>, Echo{"x"}).value(), "x");
    ASSERT_TRUE(stop_and_wait(server));
    EXPECT_FALSE(whereis(name<Answerer>));
}

TEST_P(ServerStarts, stop_in_init_is_a_failed_start_without_terminate) {
    auto const started =
        world.node().start<Probe>({}, Probe::Options{.name = "a",
                                                     .journal = &journal,
                                                     .journals_terminate = true,
                                                     .on_init = [](Probe& probe) -> Result<Start> {
                                                         probe.stop(ExitReason::shutdown("no licence"));
                                                         return Start::running;
                                                     }});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("no licence"));
    EXPECT_THAT(lines(), ::testing::IsEmpty());
}

class SlowStarter : public Server<SlowStarter> {
public:
    explicit SlowStarter(Duration time)
        : m_time(time) {}
    Async<> init() { co_await pause(m_time); }

private:
    Duration m_time;
};

TEST(Starts, that_take_too_long_are_ended_with_an_error) {
    Simulation simulation;
    auto const started =
        simulation.node().start<SlowStarter>({.name = "slow", .timeout = 100ms}, Duration(101ms));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::timed_out);
    simulation.run_until_settled();
    EXPECT_EQ(simulation.node().process_count(), 0U);
    EXPECT_FALSE(whereis(name<SlowStarter>("slow")));
}

TEST(Starts, that_end_in_time_are_not_disturbed_by_their_limit) {
    Simulation simulation;
    auto const started = simulation.node().start<SlowStarter>({.timeout = 100ms}, Duration(99ms));
    ASSERT_TRUE(started);
    simulation.advance(10s);
    EXPECT_TRUE(is_alive(*started));
}

} // namespace
} // namespace sinew::testing
