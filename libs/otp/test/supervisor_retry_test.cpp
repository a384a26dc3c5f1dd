// A static supervisor while one of its children waits to be started again. As in OTP: it is "restarting", can
// be terminated, and neither restarted nor deleted.
#include "world.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Crash {};

/// Fails to start when it is told to.
class Unsteady : public Server<Unsteady> {
public:
    struct Options {
        /// Says what the n-th start does.
        std::function<Result<>(int)> on_start = [](int) { return Result<>(); };
        std::shared_ptr<int> starts = std::make_shared<int>(0);
    };
    explicit Unsteady(Options options)
        : m_options(std::move(options)) {}
    Result<> init() { return m_options.on_start(++*m_options.starts); }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }

private:
    Options m_options;
};

class WaitingForARetry : public ::testing::TestWithParam<std::uint64_t> {
protected:
    SupervisorRef start(SupervisorOptions options, Unsteady::Options child_options = {}) {
        starts = child_options.starts;
        return simulation.node()
            .start(supervise(options, {child<Unsteady>(std::move(child_options), {.id = "a"})}))
            .value();
    }
    /// A supervisor whose child has crashed and waits for an hour.
    SupervisorRef start_waiting() {
        auto const supervisor = start({.backoff = {.first = 1h, .longest = 2h}});
        crash();
        return supervisor;
    }
    /// A supervisor whose child fails to start again and again; at the first time, `meanwhile` runs in the
    /// child: what it sends to the supervisor comes there before the news of its failure.
    SupervisorRef start_failing(std::function<void(SupervisorRef)> meanwhile) {
        auto const supervisor = std::make_shared<SupervisorRef>();
        *supervisor = start({.intensity = 1000}, {.on_start = [=](int count) -> Result<> {
                                if (count == 1) {
                                    return {};
                                }
                                if (count == 2) {
                                    meanwhile(*supervisor);
                                }
                                return failure(ErrorCode::unavailable, "not yet");
                            }});
        crash();
        return *supervisor;
    }
    void crash() {
        cast(name<Unsteady>("a"), Crash{});
        simulation.run_until_settled();
    }
    static ChildInfo::State state(SupervisorRef supervisor) {
        return call(supervisor, WhichChildren{}).value().front().state;
    }
    Simulation simulation{GetParam()};
    std::shared_ptr<int> starts;
};
INSTANTIATE_TEST_SUITE_P(for_seeds, WaitingForARetry, ::testing::Range(std::uint64_t{1}, std::uint64_t{9}));

TEST_P(WaitingForARetry, a_child_is_told_as_restarting) {
    auto const supervisor = start_waiting();
    EXPECT_EQ(state(supervisor), ChildInfo::State::restarting);
    EXPECT_EQ(call(supervisor, CountChildren{}).value().active, 0U);
    simulation.advance(1h);
    EXPECT_EQ(state(supervisor), ChildInfo::State::running);
}

TEST_P(WaitingForARetry, a_child_is_neither_restarted_nor_deleted_on_demand) {
    auto const supervisor = start_waiting();
    auto const restarted = call(supervisor, RestartChild{"a"});
    ASSERT_FALSE(restarted);
    EXPECT_EQ(restarted.error().code(), ErrorCode::exists);
    EXPECT_THAT(restarted.error().message(), HasSubstr("being restarted"));
    auto const deleted = call(supervisor, DeleteChild{"a"});
    ASSERT_FALSE(deleted);
    EXPECT_THAT(deleted.error().message(), HasSubstr("terminate it first"));
    simulation.advance(1h);
    EXPECT_EQ(state(supervisor), ChildInfo::State::running);
    EXPECT_EQ(*starts, 2);
}

TEST_P(WaitingForARetry, a_child_that_is_terminated_stays_down) {
    auto const supervisor = start_waiting();
    ASSERT_TRUE(call(supervisor, TerminateChild{"a"}));
    EXPECT_EQ(state(supervisor), ChildInfo::State::stopped);
    simulation.advance(3h);
    EXPECT_EQ(*starts, 1);
    ASSERT_TRUE(call(supervisor, RestartChild{"a"}));
    EXPECT_EQ(*starts, 2);
    simulation.advance(3h);
    EXPECT_EQ(*starts, 2) << "the old wait is over";
}

TEST_P(WaitingForARetry, between_failing_starts_a_termination_is_served) {
    auto const supervisor = start_failing(
        [](SupervisorRef to) { request(to, TerminateChild{"a"}).then([](Result<> const& /*done*/) {}); });
    EXPECT_EQ(*starts, 2);
    EXPECT_EQ(state(supervisor), ChildInfo::State::stopped);
    EXPECT_TRUE(call(supervisor, DeleteChild{"a"}));
}

TEST_P(WaitingForARetry, between_failing_starts_a_shutdown_is_served) {
    auto const supervisor = start_failing(
        [](SupervisorRef to) { stop(to, ExitReason::shutdown(), 5s).then([](Result<> const& /*done*/) {}); });
    EXPECT_EQ(*starts, 2);
    EXPECT_FALSE(is_alive(supervisor));
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

TEST_P(WaitingForARetry, between_failing_starts_a_restart_on_demand_is_refused) {
    auto const supervisor = start_failing([](SupervisorRef to) {
        request(to, RestartChild{"a"}).then([](Result<Pid> const& /*done*/) {});
        request(to, DeleteChild{"a"}).then([](Result<> const& /*done*/) {});
    });
    EXPECT_FALSE(is_alive(supervisor)) << "it goes on, and gives up";
    EXPECT_EQ(*starts, 1001) << "each start was counted, none was made for the request";
}

} // namespace
} // namespace sinew::testing
