// A dynamic supervisor's child from its end until it runs again. As in OTP: it is "restarting", not active, and
// known by the Pid that it had.
#include "supervisor_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;

/// Fails to start, or takes long to, when it is told to.
class Unsteady : public Server<Unsteady> {
public:
    struct Plan {
        /// From this start on it fails.
        int fails_from = 1000;
        /// From the second start on init() takes so long.
        Duration restart_takes = Duration(0);
        int starts = 0;
        int ends = 0;
        Pid latest = {};
    };
    struct Options {
        std::shared_ptr<Plan> plan;
    };
    explicit Unsteady(Options options)
        : m_plan(std::move(options.plan)) {}
    Async<Result<>> init() {
        set_trap_exit(true);
        m_plan->latest = self().pid();
        int const count = ++m_plan->starts;
        if (count > 1 && m_plan->restart_takes > Duration(0)) {
            co_await pause(m_plan->restart_takes);
        }
        if (count >= m_plan->fails_from) {
            co_return failure(ErrorCode::unavailable, "not yet");
        }
        co_return Result<>();
    }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    void terminate(ExitReason const& /*reason*/) { ++m_plan->ends; }

private:
    std::shared_ptr<Plan> m_plan;
};

class RestartingChildren : public ::testing::TestWithParam<std::uint64_t> {
protected:
    /// A supervisor whose child has crashed.
    ServerRef<DynamicSupervisor> start_and_crash(DynamicSupervisor::Options options, Unsteady::Plan wanted) {
        plan = std::make_shared<Unsteady::Plan>(wanted);
        auto const supervisor = simulation.node().start<DynamicSupervisor>({}, options).value();
        first =
            call(supervisor, StartChild{child<Unsteady>({.plan = plan}, {.is_registered = false})}).value();
        cast(ServerRef<Unsteady>(first), Crash{});
        return supervisor;
    }
    static ChildCounts count(ServerRef<DynamicSupervisor> supervisor) {
        return call(supervisor, CountChildren{}).value();
    }
    Simulation simulation{GetParam()};
    std::shared_ptr<Unsteady::Plan> plan;
    Pid first;
};
INSTANTIATE_TEST_SUITE_P(for_seeds, RestartingChildren, ::testing::Range(std::uint64_t{1}, std::uint64_t{9}));

TEST_P(RestartingChildren, between_failing_starts_are_terminated_by_the_pid_that_they_had) {
    auto const supervisor = start_and_crash({.intensity = 1000}, {.fails_from = 2, .restart_takes = 10ms});
    simulation.advance(25ms);
    ASSERT_GE(plan->starts, 3);
    ASSERT_TRUE(call(supervisor, TerminatePid{first}));
    int const starts = plan->starts;
    EXPECT_EQ(count(supervisor), ChildCounts{});
    simulation.advance(1s);
    EXPECT_EQ(plan->starts, starts);
    EXPECT_EQ(call(supervisor, TerminatePid{first}).error().code(), ErrorCode::not_found);
}

TEST_P(RestartingChildren, whose_starts_fail_at_once_are_terminated_by_the_pid_that_they_had) {
    auto const supervisor = start_and_crash({.intensity = 100'000}, {.fails_from = 2});
    ASSERT_TRUE(call(supervisor, TerminatePid{first}));
    EXPECT_EQ(count(supervisor), ChildCounts{});
    simulation.run_until_settled();
    EXPECT_LT(plan->starts, 100'000);
    EXPECT_TRUE(is_alive(supervisor));
}

TEST_P(RestartingChildren, that_wait_are_terminated_by_the_pid_that_they_had) {
    auto const supervisor = start_and_crash({.backoff = {.first = 1h, .longest = 2h}}, {});
    simulation.run_until_settled();
    ASSERT_TRUE(call(supervisor, TerminatePid{first}));
    EXPECT_EQ(count(supervisor), ChildCounts{});
    simulation.advance(3h);
    EXPECT_EQ(plan->starts, 1);
}

TEST_P(RestartingChildren, are_not_active_whether_they_wait_or_start) {
    auto const supervisor = start_and_crash({.backoff = {.first = 1min}}, {.restart_takes = 1min});
    auto const none_is_active = ChildCounts{.specs = 1, .active = 0, .supervisors = 0, .workers = 1};
    simulation.run_until_settled();
    EXPECT_EQ(count(supervisor), none_is_active);
    simulation.advance(1min);
    EXPECT_EQ(plan->starts, 2) << "init() is running";
    EXPECT_EQ(count(supervisor), none_is_active);
    auto const info = call(supervisor, WhichChildren{}).value().at(0);
    EXPECT_EQ(info.state, ChildInfo::State::restarting);
    EXPECT_FALSE(info.pid);
    simulation.advance(1min);
    EXPECT_EQ(count(supervisor).active, 1U);
    EXPECT_EQ(call(supervisor, WhichChildren{}).value().at(0).pid, plan->latest);
}

TEST_P(RestartingChildren, whose_init_runs_are_terminated_by_either_pid) {
    for (bool const is_by_the_first : {true, false}) {
        auto const supervisor = start_and_crash({}, {.restart_takes = 1min});
        simulation.run_until_settled();
        ASSERT_EQ(plan->starts, 2);
        ASSERT_NE(plan->latest, first);
        ASSERT_TRUE(call(supervisor, TerminatePid{is_by_the_first ? first : plan->latest}, 1h));
        EXPECT_EQ(count(supervisor), ChildCounts{});
        EXPECT_FALSE(is_alive(plan->latest));
        simulation.advance(1h);
        EXPECT_EQ(plan->starts, 2);
    }
}

TEST_P(RestartingChildren, that_run_again_are_known_by_their_new_pid_only) {
    auto const supervisor = start_and_crash({}, {});
    simulation.run_until_settled();
    EXPECT_EQ(call(supervisor, TerminatePid{first}).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(call(supervisor, TerminatePid{plan->latest}));
    EXPECT_EQ(plan->ends, 2);
}

TEST_P(RestartingChildren, whose_init_runs_are_stopped_with_their_supervisor) {
    auto const supervisor = start_and_crash({}, {.restart_takes = 1h});
    simulation.run_until_settled();
    ASSERT_EQ(plan->starts, 2);
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown(), 1min));
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

} // namespace
} // namespace sinew::testing
