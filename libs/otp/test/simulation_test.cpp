// Simulations: seeds, exploration of all interleavings, faults, time travel, an application as on a device.
#include <sinew/otp.hpp>
#include <sinew/otp/allocations.hpp>
#include <sinew/otp/gtest.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Add {
    int amount = 1;
};
struct Total {
    using Reply = int;
};

class Counter : public Server<Counter> {
public:
    void handle_cast(Add add) { m_total += add.amount; }
    int handle_call(Total /*question*/) { return m_total; }

private:
    int m_total = 0;
};

struct Tick {};
class Beacon : public Server<Beacon> {
public:
    explicit Beacon(int beats)
        : m_beats(beats) {}
    void init() { send_after(1min, Tick{}); }
    void handle_info(Tick /*tick*/) {
        if (--m_beats != 0) {
            send_after(1min, Tick{});
        }
    }

private:
    int m_beats;
};

class CounterApplication : public Application {
public:
    Supervisor start(Config const& /*config*/) override {
        return supervise(Strategy::one_for_one, {child<Counter>()});
    }
};

/// Several processes append a letter each.
std::string letters(Simulation& simulation, int processes) {
    auto text = std::make_shared<std::string>();
    for (int i = 0; i < processes; ++i) {
        spawn([text, letter = static_cast<char>('a' + i)] { *text += letter; });
    }
    simulation.run_until_settled();
    return *text;
}

TEST(Seeds, give_the_same_interleaving_again) {
    auto const run = [] {
        Simulation simulation(42);
        EXPECT_EQ(simulation.replay(), "SINEW_SIMULATION_SEED=42");
        return letters(simulation, 8);
    };
    EXPECT_EQ(run(), run());
}

TEST(Seeds, give_different_interleavings) {
    std::set<std::string> seen;
    for_each_seed(50, [&seen](Simulation& simulation) { seen.insert(letters(simulation, 4)); });
    EXPECT_GT(seen.size(), 10U);
}

TEST(Seeds, come_from_the_environment) {
    ASSERT_EQ(::setenv("SINEW_SIMULATION_SEED", "77", 1), 0);
    Simulation const simulation;
    std::size_t runs = 0;
    for_each_seed(5, [&runs](Simulation& one) {
        ++runs;
        EXPECT_EQ(one.replay(), "SINEW_SIMULATION_SEED=77");
    });
    ::unsetenv("SINEW_SIMULATION_SEED");
    EXPECT_EQ(simulation.replay(), "SINEW_SIMULATION_SEED=77");
    EXPECT_EQ(runs, 1U);
    ASSERT_EQ(::setenv("SINEW_SIMULATION_SEED", "many", 1), 0);
    EXPECT_THROW(Simulation(), std::invalid_argument);
    ::unsetenv("SINEW_SIMULATION_SEED");
}

TEST(Exploration, runs_every_interleaving_once) {
    std::multiset<std::string> seen;
    Exploration const done =
        explore([&seen](Simulation& simulation) { seen.insert(letters(simulation, 4)); });
    EXPECT_TRUE(done.is_complete);
    EXPECT_EQ(done.schedules, 24U);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 24U);
}

TEST(Exploration, ends_at_its_bound) {
    Exploration const done =
        explore([](Simulation& simulation) { (void)letters(simulation, 8); }, {.most_schedules = 100});
    EXPECT_FALSE(done.is_complete);
    EXPECT_EQ(done.schedules, 100U);
}

TEST(Exploration, finds_the_one_interleaving_that_fails_and_says_how_to_repeat_it) {
    std::string replay;
    auto const body = [&replay](Simulation& simulation) {
        if (letters(simulation, 3) == "cab") {
            replay = simulation.replay();
            throw std::runtime_error("found");
        }
    };
    EXPECT_THROW(explore(body), std::runtime_error);
    ASSERT_THAT(replay, HasSubstr("SINEW_SIMULATION_SCHEDULE="));
    std::string const schedule = replay.substr(replay.find('=') + 1);
    ASSERT_EQ(::setenv("SINEW_SIMULATION_SCHEDULE", schedule.c_str(), 1), 0);
    EXPECT_THROW(explore(body), std::runtime_error) << "the very first one now";
    ::unsetenv("SINEW_SIMULATION_SCHEDULE");
}

// A lost update: two processes read and then write. Every interleaving that loses one is found.
TEST(Exploration, finds_a_lost_update) {
    struct Write {
        int value = 0;
    };
    class Cell : public Server<Cell> {
    public:
        int handle_call(Total /*question*/) { return m_value; }
        void handle_cast(Write write) { m_value = write.value; }

    private:
        int m_value = 0;
    };
    std::set<int> outcomes;
    Exploration const done = explore([&outcomes](Simulation& simulation) {
        auto const cell = simulation.node().start<Cell>().value();
        for (int i = 0; i < 2; ++i) {
            spawn([cell]() -> Async<> {
                auto const value = co_await request(cell, Total{});
                cast(cell, Write{*value + 1});
            });
        }
        simulation.run_until_settled();
        outcomes.insert(call(cell, Total{}).value());
    });
    EXPECT_TRUE(done.is_complete);
    EXPECT_THAT(outcomes, ElementsAre(1, 2));
}

TEST(Replay, is_printed_once_when_a_test_fails) {
    Simulation const simulation(9);
    ReplayPrinter printer;
    ::testing::TestPartResult const failed(::testing::TestPartResult::kNonFatalFailure, "led_test.cpp", 1,
                                           "dark");
    ::testing::internal::CaptureStdout();
    printer.OnTestStart(*::testing::UnitTest::GetInstance()->current_test_info());
    printer.OnTestPartResult(failed);
    printer.OnTestPartResult(failed);
    EXPECT_EQ(::testing::internal::GetCapturedStdout(),
              "to run this interleaving again: SINEW_SIMULATION_SEED=9 with "
              "--gtest_filter=Replay.is_printed_once_when_a_test_fails\n");
    EXPECT_TRUE(has_replay_printer);
}

TEST(TimeTravel, goes_on_until_nothing_will_happen) {
    Simulation simulation;
    ASSERT_TRUE(simulation.node().start<Beacon>({}, 5));
    MonotonicTime const began = simulation.now();
    EXPECT_TRUE(simulation.travel_until_settled());
    EXPECT_EQ(simulation.now() - began, Duration(5min));
}

TEST(TimeTravel, ends_at_its_limit) {
    Simulation simulation;
    ASSERT_TRUE(simulation.node().start<Beacon>({}, 1000));
    MonotonicTime const began = simulation.now();
    EXPECT_FALSE(simulation.travel_until_settled(10min + 30s));
    EXPECT_EQ(simulation.now() - began, Duration(10min));
}

TEST(SimulatedApplications, run_in_a_simulation_as_on_a_device) {
    Simulation simulation;
    CounterApplication application;
    ASSERT_TRUE(simulation.start(application));
    cast(name<Counter>, Add{3});
    EXPECT_EQ(call(name<Counter>, Total{}), 3);
}

class FaultInjection : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(simulation.start(application)); }
    void add(int times) {
        for (int i = 0; i < times; ++i) {
            cast(name<Counter>, Add{});
            simulation.run_until_settled();
        }
    }
    [[nodiscard]] static int total() { return call(name<Counter>, Total{}).value(); }
    Simulation simulation;
    CounterApplication application;
};

TEST_F(FaultInjection, a_process_crashes_at_its_nth_message_and_is_restarted) {
    simulation.faults().crash<Counter, Add>({.at = 3});
    add(5);
    EXPECT_EQ(total(), 2) << "the third ended it; the fourth and fifth went to the next";
    EXPECT_EQ(simulation.faults().happened(), 1U);
    EXPECT_TRUE(simulation.has_logged("a simulated fault"));
}

TEST_F(FaultInjection, a_call_that_crashes_its_server_is_an_error_for_the_caller) {
    simulation.faults().crash<Counter>({.at = 1});
    auto const answer = call(name<Counter>, Total{});
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message(), HasSubstr("a simulated fault"));
}

TEST_F(FaultInjection, messages_are_dropped) {
    simulation.faults().drop<Counter, Add>({.at = 2, .count = 2});
    add(5);
    EXPECT_EQ(total(), 3);
}

TEST_F(FaultInjection, a_dropped_call_runs_into_its_time_limit) {
    simulation.faults().drop<Counter, Total>({.at = 1});
    EXPECT_EQ(call(name<Counter>, Total{}, 1s).error().code(), ErrorCode::timed_out);
    EXPECT_EQ(total(), 0);
}

TEST_F(FaultInjection, a_delay_keeps_the_order) {
    simulation.faults().delay<Counter>(5s, {.at = 1});
    cast(name<Counter>, Add{7});
    MonotonicTime const began = simulation.now();
    EXPECT_EQ(call(name<Counter>, Total{}, 10s).value(), 7);
    EXPECT_EQ(simulation.now() - began, Duration(5s));
}

TEST_F(FaultInjection, an_allocation_fails_in_the_nth_handler) {
    struct Grow {};
    class Hoarder : public Server<Hoarder> {
    public:
        void handle_cast(Grow /*message*/) { m_hoard.push_back(std::make_unique<int>(1)); }

    private:
        std::vector<std::unique_ptr<int>> m_hoard;
    };
    auto const hoarder = simulation.node().start<Hoarder>().value();
    simulation.faults().fail_allocation<Hoarder>(1, {.at = 2});
    cast(hoarder, Grow{});
    simulation.run_until_settled();
    EXPECT_TRUE(is_alive(hoarder));
    cast(hoarder, Grow{});
    simulation.run_until_settled();
    EXPECT_FALSE(is_alive(hoarder));
    EXPECT_TRUE(simulation.has_logged("bad_alloc"));
    EXPECT_EQ(total(), 0) << "the node lives on";
}

TEST_F(FaultInjection, by_chance_is_the_same_for_the_same_seed) {
    auto const run = [](std::uint64_t seed) {
        Simulation chaos(seed);
        CounterApplication counters;
        EXPECT_TRUE(chaos.start(counters));
        chaos.faults().be_random({.crash = 0.02, .drop = 0.1, .delay = 0.1});
        for (int i = 0; i < 200; ++i) {
            cast(name<Counter>, Add{});
            chaos.advance(1s);
        }
        return std::pair(chaos.faults().happened(), chaos.log_lines().size());
    };
    EXPECT_EQ(run(5), run(5));
    EXPECT_GT(run(5).first, 20U);
}

TEST_F(FaultInjection, ends_when_cleared) {
    simulation.faults().be_random({.drop = 1});
    add(3);
    simulation.faults().clear();
    add(2);
    EXPECT_EQ(total(), 2);
}

} // namespace
} // namespace sinew::testing
