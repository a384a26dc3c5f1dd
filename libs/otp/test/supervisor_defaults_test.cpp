// What holds when nobody says otherwise: OTP's numbers.
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;

struct Crash {};
struct Never {
    using Reply = int;
};

/// Takes its time to stop.
class Slow : public Server<Slow> {
public:
    struct Options {
        Duration stops_after{0};
    };
    explicit Slow(Options options)
        : m_options(options) {}
    void init() { set_trap_exit(true); }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    Async<int> handle_call(Never /*call*/) {
        auto const waited = co_await pause(24h);
        co_return waited ? 1 : 0;
    }
    Async<> terminate(ExitReason /*reason*/) {
        auto const waited = co_await pause(m_options.stops_after);
        (void)waited;
    }

private:
    Options m_options;
};

class Defaults : public ::testing::Test {
protected:
    SupervisorRef start(Supervisor tree) { return simulation.node().start(std::move(tree)).value(); }
    /// How long it takes to stop, in virtual time.
    Duration time_to_stop(SupervisorRef supervisor) {
        MonotonicTime const began = simulation.now();
        EXPECT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown(), 100h));
        return simulation.now() - began;
    }
    void crash() {
        cast(name<Slow>, Crash{});
        simulation.run_until_settled();
    }
    Simulation simulation;
};

TEST_F(Defaults, a_worker_has_five_seconds_to_stop) {
    EXPECT_EQ(time_to_stop(start(supervise(Strategy::one_for_one, {child<Slow>({.stops_after = 5s - 1ns})}))),
              Duration(5s - 1ns));
    EXPECT_EQ(time_to_stop(start(supervise(Strategy::one_for_one, {child<Slow>({.stops_after = 1h})}))),
              Duration(5s));
}

TEST_F(Defaults, a_supervisor_has_all_the_time_it_needs_to_stop) {
    auto const patient = child<Slow>({.stops_after = 10h}, {.shutdown = Shutdown::infinity()});
    auto const tree = start(supervise(Strategy::one_for_one,
                                      {child(supervise(Strategy::one_for_one, {patient}), {.id = "sub"})}));
    EXPECT_EQ(time_to_stop(tree), Duration(10h));
}

TEST_F(Defaults, three_restarts_in_five_seconds_are_borne) {
    auto const tree = start(supervise(Strategy::one_for_one, {child<Slow>({})}));
    for (int restart = 0; restart < 3; ++restart) {
        crash();
    }
    EXPECT_TRUE(is_alive(tree));
    crash();
    EXPECT_FALSE(is_alive(tree));
}

TEST_F(Defaults, restarts_are_forgotten_after_five_seconds) {
    auto const tree = start(supervise(Strategy::one_for_one, {child<Slow>({})}));
    for (int round = 0; round < 4; ++round) {
        for (int restart = 0; restart < 3; ++restart) {
            crash();
        }
        EXPECT_TRUE(is_alive(tree));
        simulation.advance(5s + 1ns);
    }
    for (int restart = 0; restart < 4; ++restart) {
        crash();
    }
    EXPECT_FALSE(is_alive(tree));
}

TEST_F(Defaults, a_call_waits_five_seconds) {
    auto const slow = simulation.node().start<Slow>({}, Slow::Options{}).value();
    MonotonicTime const began = simulation.now();
    EXPECT_EQ(call(slow, Never{}).error().code(), ErrorCode::timed_out);
    EXPECT_EQ(simulation.now() - began, Duration(5s));
}

} // namespace
} // namespace sinew::testing
