// Several requests at once, against OTP's request-id collections; and processes that hibernate.
#include "world.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/allocations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
    using Reply = int;
};
/// Answers after a while, or never.
class Sensor : public Server<Sensor> {
public:
    Sensor(Duration delay, int value)
        : m_delay(delay)
        , m_value(value) {}
    Async<int> handle_call(Read /*request*/) {
        co_await pause(m_delay);
        co_return m_value;
    }

private:
    Duration m_delay;
    int m_value;
};

struct Act {
    std::function<Async<>()> function;
};
class Reader : public Server<Reader> {
public:
    Async<> handle_info(Act act) {
        Async<> running = act.function();
        co_await running;
    }
};

using Readings = RequestCollection<std::string, int>;

class Collections : public ::testing::Test {
protected:
    void run(std::function<Async<>()> function) {
        send(reader, Act{std::move(function)});
        simulation.run_until_settled();
    }
    ServerRef<Sensor> sensor(Duration delay, int value) {
        return simulation.node().start<Sensor>({}, delay, value).value();
    }
    void say(Readings::Answer const& answer) {
        said.push_back(answer.label + " " +
                       (answer.value ? std::to_string(*answer.value) : answer.value.error().message()));
    }
    Async<> all(Readings& readings) {
        while (auto answer = co_await readings.next()) {
            say(*answer);
        }
        said.emplace_back("done");
    }
    Simulation simulation{3};
    std::vector<std::string> said;
    ServerRef<Reader> reader = simulation.node().start<Reader>().value();
};

TEST_F(Collections, give_answers_as_they_come_each_once) {
    auto const slow = sensor(3s, 3);
    auto const fast = sensor(1s, 1);
    auto const middle = sensor(2s, 2);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("slow", request(slow, Read{}));
        readings.add("fast", request(fast, Read{}));
        readings.add("middle", request(middle, Read{}));
        EXPECT_EQ(readings.size(), 3U);
        Async<> rest = all(readings);
        co_await rest;
        EXPECT_TRUE(readings.is_empty());
    });
    simulation.advance(1s);
    EXPECT_THAT(said, ElementsAre("fast 1"));
    simulation.advance(2s);
    EXPECT_THAT(said, ElementsAre("fast 1", "middle 2", "slow 3", "done"));
}

TEST_F(Collections, give_what_came_while_nobody_waited_in_its_order) {
    auto const first = sensor(1s, 1);
    auto const second = sensor(2s, 2);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("second", request(second, Read{}));
        readings.add("first", request(first, Read{}));
        co_await pause(3s);
        Async<> rest = all(readings);
        co_await rest;
    });
    simulation.advance(3s);
    EXPECT_THAT(said, ElementsAre("first 1", "second 2", "done"));
}

TEST_F(Collections, give_an_error_for_each_that_fails) {
    auto const late = sensor(10s, 1);
    auto const crashing = sensor(10s, 2);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("late", request(late, Read{}, 2s));
        readings.add("gone", request(ServerRef<Sensor>(), Read{}));
        readings.add("crashing", request(crashing, Read{}));
        Async<> rest = all(readings);
        co_await rest;
    });
    exit(crashing, ExitReason::kill());
    simulation.advance(2s);
    EXPECT_THAT(said, ElementsAre(HasSubstr("gone"), HasSubstr("ended before it answered"),
                                  HasSubstr("did not answer in time"), "done"));
}

TEST_F(Collections, wait_only_so_long_and_go_on_later) {
    auto const slow = sensor(3s, 3);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("slow", request(slow, Read{}));
        auto const early = co_await readings.next(1s);
        said.emplace_back(early ? "early" : readings.is_empty() ? "empty" : "nothing yet");
        Async<> rest = all(readings);
        co_await rest;
    });
    simulation.advance(3s);
    EXPECT_THAT(said, ElementsAre("nothing yet", "slow 3", "done"));
}

TEST_F(Collections, take_more_while_others_are_under_way) {
    auto const a = sensor(1s, 1);
    auto const b = sensor(5s, 2);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("b", request(b, Read{}, 10s));
        readings.add("a", request(a, Read{}));
        auto const first = co_await readings.next();
        say(*first);
        readings.add("a again", request(a, Read{}));
        Async<> rest = all(readings);
        co_await rest;
    });
    simulation.advance(5s);
    EXPECT_THAT(said, ElementsAre("a 1", "a again 1", "b 2", "done"));
}

TEST_F(Collections, an_empty_one_gives_nothing_at_once) {
    run([&]() -> Async<> {
        Readings readings;
        Async<> rest = all(readings);
        co_await rest;
    });
    EXPECT_THAT(said, ElementsAre("done"));
}

TEST_F(Collections, drop_answers_that_come_after_them) {
    auto const slow = sensor(3s, 3);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("slow", request(slow, Read{}));
        auto const early = co_await readings.next(1s);
        EXPECT_FALSE(early);
    });
    simulation.advance(10s);
    EXPECT_THAT(said, IsEmpty());
    EXPECT_TRUE(is_alive(reader));
    EXPECT_EQ(process_info(reader)->mailbox_length, 0U);
}

TEST_F(Collections, end_with_their_process) {
    auto const slow = sensor(3s, 3);
    run([&]() -> Async<> {
        Readings readings;
        readings.add("slow", request(slow, Read{}));
        Async<> rest = all(readings);
        co_await rest;
    });
    exit(reader, ExitReason::kill());
    simulation.advance(10s);
    EXPECT_FALSE(is_alive(reader));
    EXPECT_THAT(said, IsEmpty());
}

class Hibernation : public WorldTest {};
SINEW_IN_BOTH_WORLDS(Hibernation);

TEST_P(Hibernation, changes_nothing_but_memory) {
    ProbeRef const a = start_trapping("a");
    ProbeRef const b = start("b");
    in(a, [b](Probe&) {
        hibernate(); // Nothing to give back yet.
        monitor(b);
        link(b);
        hibernate();
        EXPECT_EQ(links().size(), 1U);
    });
    exit(b, ExitReason::shutdown());
    EXPECT_THAT(lines(), ::testing::UnorderedElementsAre("a: DOWN b shutdown", "a: EXIT b shutdown"));
    in(a, [](Probe& self) {
        hibernate();
        self.say("lives");
        set_label("again");
    });
    EXPECT_THAT(lines(), ::testing::Contains("a: lives"));
}

TEST(HibernatingProcesses, give_memory_back) {
    Simulation simulation{5};
    Journal journal;
    auto const watched =
        simulation.node().start<Probe>({}, Probe::Options{.name = "b", .journal = &journal}).value();
    auto const a =
        simulation.node().start<Probe>({}, Probe::Options{.name = "a", .journal = &journal}).value();
    std::int64_t before = 0;
    std::int64_t awake = 0;
    std::int64_t asleep = 0;
    for (int round = 0; round < 2; ++round) { // Who is watched grows in the first only.
        (void)call(a, RunInside{[&](Probe&) {
                       before = live_allocations();
                       std::vector<MonitorRef> refs;
                       for (int i = 0; i < 100; ++i) {
                           refs.push_back(monitor(watched));
                       }
                       for (MonitorRef const ref : refs) {
                           demonitor(ref);
                       }
                       refs = std::vector<MonitorRef>();
                       awake = live_allocations();
                       hibernate();
                       asleep = live_allocations();
                   }});
    }
    EXPECT_GT(awake, before);
    EXPECT_LT(asleep, awake);
    EXPECT_LE(asleep, before);
}

TEST_P(Hibernation, in_a_handler_that_waits) {
    ProbeRef const a = start("a");
    Journal& said = journal;
    spawn([a, &said]() -> Async<> {
        hibernate();
        auto asked = request(a, RunInside{[](Probe&) {}});
        auto const done = co_await asked;
        hibernate();
        said.add(done ? "went on" : done.error().message());
        auto again = request(a, RunInside{[](Probe&) { hibernate(); }});
        said.add((co_await again) ? "and on" : "failed");
    });
    EXPECT_THAT(lines(), ElementsAre("went on", "and on"));
}

} // namespace
} // namespace sinew::testing
