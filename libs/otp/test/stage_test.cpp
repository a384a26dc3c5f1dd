// Stages: demand, back-pressure, buffers, and ends that travel along the pipeline.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Crash {};
struct Finish {};
struct Feed {
    std::vector<int> events;
};

/// Counts up, as far as it is asked to.
class Counter : public Producer<Counter, int> {
public:
    explicit Counter(std::vector<std::size_t>& demands)
        : m_demands(&demands) {}
    void handle_demand(std::size_t count) {
        m_demands->push_back(count);
        std::vector<int> events(count);
        std::iota(events.begin(), events.end(), m_next);
        m_next += static_cast<int>(count);
        emit(std::move(events));
    }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    void handle_cast(Finish /*message*/) { stop(); }

private:
    std::vector<std::size_t>* m_demands;
    int m_next = 0;
};

/// Gives what it is fed, whether someone asked or not.
class Feeder : public Producer<Feeder, int> {
public:
    explicit Feeder(BufferOptions buffer) { set_buffer(buffer); }
    void handle_demand(std::size_t /*count*/) {}
    void handle_cast(Feed feed) { emit(std::move(feed.events)); }
    struct Dropped {
        using Reply = std::uint64_t;
    };
    std::uint64_t handle_call(Dropped /*request*/) { return dropped(); }
};

class Doubler : public ProducerConsumer<Doubler, int, int> {
public:
    explicit Doubler(DemandOptions demand)
        : m_demand(demand) {}
    void init() { subscribe_to(name<Counter>("counter"), m_demand); }
    void handle_events(std::vector<int> events) {
        for (int& event : events) {
            event *= 2;
        }
        emit(std::move(events));
    }

private:
    DemandOptions m_demand;
};

/// Takes its time for each batch.
template<typename P>
class Taker : public Consumer<Taker<P>, int> {
public:
    struct Options {
        std::string source = {};
        DemandOptions demand = {};
        Duration time_per_event = Duration(0);
        std::vector<int>* taken = nullptr;
    };
    explicit Taker(Options options)
        : m_options(std::move(options)) {}
    void init() { m_subscription = this->subscribe_to(name<P>(m_options.source), m_options.demand); }
    Async<> handle_events(std::vector<int> events) {
        if (m_options.time_per_event > Duration(0)) {
            co_await pause(m_options.time_per_event * static_cast<int>(events.size()));
        }
        m_options.taken->insert(m_options.taken->end(), events.begin(), events.end());
    }
    void handle_cast(Finish /*message*/) { this->cancel_subscription(m_subscription); }

private:
    Options m_options;
    typename Taker::SubscriptionId m_subscription;
};

class Stages : public ::testing::Test {
protected:
    ServerRef<Counter> start_counter() {
        return simulation.node().start<Counter>({.name = "counter"}, std::ref(demands)).value();
    }
    ServerRef<Feeder> start_feeder(BufferOptions buffer = {}) {
        return simulation.node().start<Feeder>({.name = "feeder"}, buffer).value();
    }
    template<typename P>
    ServerRef<Taker<P>> start_taker(std::string source, DemandOptions demand, Duration time_per_event = {}) {
        return simulation.node()
            .start<Taker<P>>({},
                             typename Taker<P>::Options{std::move(source), demand, time_per_event, &taken})
            .value();
    }
    Simulation simulation;
    std::vector<std::size_t> demands;
    std::vector<int> taken;
};

TEST_F(Stages, a_producer_gives_no_more_than_was_asked_for) {
    start_counter();
    start_taker<Counter>("counter", {.max_demand = 4, .min_demand = 2}, 1s);
    simulation.run_until_settled();
    EXPECT_THAT(demands, ElementsAre(4U));
    simulation.advance(4s);
    // All four are done: four more are asked for.
    EXPECT_THAT(taken, ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(demands, ElementsAre(4U, 4U));
}

TEST_F(Stages, the_slow_end_sets_the_pace_of_the_whole_pipeline) {
    start_counter();
    (void)simulation.node()
        .start<Doubler>({.name = "doubler"}, DemandOptions{.max_demand = 3, .min_demand = 0})
        .value();
    start_taker<Doubler>("doubler", {.max_demand = 2, .min_demand = 0}, 1s);
    simulation.advance(100s);
    EXPECT_EQ(taken.size(), 100U);
    EXPECT_EQ(taken[99], 198);
    std::size_t const produced = std::accumulate(demands.begin(), demands.end(), std::size_t{0});
    EXPECT_LE(produced, 100U + 3 + 3 + 2);
}

TEST_F(Stages, several_consumers_share_the_events) {
    start_counter();
    start_taker<Counter>("counter", {.max_demand = 1, .min_demand = 0}, 1s);
    start_taker<Counter>("counter", {.max_demand = 1, .min_demand = 0}, 1s);
    simulation.advance(10s);
    std::ranges::sort(taken);
    std::vector<int> expected(taken.size());
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(taken, expected);
    EXPECT_EQ(taken.size(), 20U);
}

TEST_F(Stages, events_that_come_of_themselves_wait_in_the_buffer) {
    auto const feeder = start_feeder();
    cast(feeder, Feed{{1, 2, 3}});
    simulation.run_until_settled();
    start_taker<Feeder>("feeder", {.max_demand = 2, .min_demand = 0}, 1s);
    simulation.advance(2s);
    EXPECT_THAT(taken, ElementsAre(1, 2));
    simulation.advance(1s);
    EXPECT_THAT(taken, ElementsAre(1, 2, 3));
}

TEST_F(Stages, a_full_buffer_drops_the_oldest_or_the_newest) {
    for (Overflow const overflow : {Overflow::drop_oldest, Overflow::drop_newest}) {
        taken.clear();
        auto const feeder = start_feeder({.limit = 2, .overflow = overflow});
        cast(feeder, Feed{{1, 2, 3}});
        cast(feeder, Feed{{4}});
        EXPECT_EQ(call(feeder, Feeder::Dropped{}).value(), 2U);
        auto const taker = start_taker<Feeder>("feeder", {.cancel = CancelMode::temporary});
        simulation.run_until_settled();
        EXPECT_EQ(taken,
                  overflow == Overflow::drop_oldest ? std::vector<int>({3, 4}) : std::vector<int>({1, 2}));
        ASSERT_TRUE(stop_and_wait(feeder));
        ASSERT_TRUE(stop_and_wait(taker));
    }
    EXPECT_TRUE(simulation.has_logged("events are dropped"));
}

TEST_F(Stages, a_consumer_that_ends_leaves_its_share_to_the_others) {
    auto const feeder = start_feeder();
    auto const first = start_taker<Feeder>("feeder", {.max_demand = 100});
    simulation.run_until_settled();
    exit(first, ExitReason::kill());
    simulation.run_until_settled();
    cast(feeder, Feed{{1, 2}});
    simulation.run_until_settled();
    EXPECT_THAT(taken, IsEmpty());
    start_taker<Feeder>("feeder", {.max_demand = 100});
    simulation.run_until_settled();
    EXPECT_THAT(taken, ElementsAre(1, 2));
}

TEST_F(Stages, a_subscription_can_be_cancelled) {
    auto const feeder = start_feeder();
    auto const taker = start_taker<Feeder>("feeder", {});
    simulation.run_until_settled();
    cast(taker, Finish{});
    simulation.run_until_settled();
    cast(feeder, Feed{{1}});
    simulation.run_until_settled();
    EXPECT_THAT(taken, IsEmpty());
    EXPECT_TRUE(is_alive(taker));
}

TEST_F(Stages, a_consumer_ends_with_its_producer_as_its_cancel_mode_says) {
    struct Case {
        CancelMode mode;
        bool crashes;
        bool survives;
    };
    for (Case const& one :
         {Case{CancelMode::permanent, false, false}, Case{CancelMode::permanent, true, false},
          Case{CancelMode::transient, false, true}, Case{CancelMode::transient, true, false},
          Case{CancelMode::temporary, true, true}}) {
        auto const counter = start_counter();
        auto const taker =
            start_taker<Counter>("counter", {.max_demand = 1, .min_demand = 0, .cancel = one.mode}, 1h);
        simulation.run_until_settled();
        if (one.crashes) {
            cast(counter, Crash{});
        } else {
            cast(counter, Finish{});
        }
        simulation.advance(2h);
        EXPECT_EQ(is_alive(taker), one.survives);
        exit(taker, ExitReason::kill());
        simulation.run_until_settled();
    }
}

TEST_F(Stages, subscribing_to_nobody_ends_a_permanent_consumer) {
    auto const taker = start_taker<Counter>("nobody", {});
    simulation.run_until_settled();
    EXPECT_FALSE(is_alive(taker));
}

} // namespace
} // namespace sinew::testing
