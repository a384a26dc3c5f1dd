// System messages: state, suspend and resume, trace, statistics; for any process, whatever its class.
#include "world.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace sinew::testing {

struct DialState {
    int position = 0;
    std::string unit = "lx";
};
BOOST_DESCRIBE_STRUCT(DialState, (), (position, unit))

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Turn {
    int by = 1;
};
struct Position {
    using Reply = int;
};
struct Slow {
    using Reply = void;
};
struct Break {};

class Dial : public Server<Dial> {
public:
    DialState& state() { return m_state; }
    void handle_cast(Turn turn) { m_state.position += turn.by; }
    int handle_call(Position /*question*/) { return m_state.position; }
    Async<> handle_call(Slow /*question*/) {
        co_await pause(1s);
        ++m_state.position;
    }
    void handle_info(Break /*message*/) { throw std::runtime_error("broke"); }

private:
    DialState m_state;
};

/// Its state is only to be looked at.
class Gauge : public Server<Gauge> {
public:
    [[nodiscard]] DialState const& state() const { return m_state; }

private:
    DialState m_state{.position = 7};
};

class Secret : public Server<Secret> {};

class TraceCollector : public Server<TraceCollector> {
public:
    struct Texts {
        using Reply = std::vector<std::string>;
    };
    void handle_info(TraceEvent event) {
        std::string const name = event.message.substr(event.message.rfind(':') + 1);
        m_texts.push_back(name + (event.has_failed ? " failed" : ""));
    }
    std::vector<std::string> handle_call(Texts /*question*/) { return m_texts; }

private:
    std::vector<std::string> m_texts;
};

class SystemMessages : public ::testing::Test {
protected:
    template<typename R>
    auto ask(Pid pid, R question) {
        return call(system_of(pid), std::move(question), 1s);
    }
    Simulation simulation{3};
    ServerRef<Dial> dial = simulation.node().start<Dial>().value();
};

TEST_F(SystemMessages, the_state_of_a_server_that_shows_it_is_read) {
    cast(dial, Turn{5});
    EXPECT_EQ(format_json(ask(dial, GetState{}).value()), R"({"position":5,"unit":"lx"})");
}

TEST_F(SystemMessages, a_server_that_shows_no_state_says_so) {
    auto const secret = simulation.node().start<Secret>().value();
    auto const state = ask(secret, GetState{});
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(state.error().message(), HasSubstr("shows no state"));
}

TEST_F(SystemMessages, members_of_the_state_are_replaced_and_a_bad_value_changes_nothing) {
    ASSERT_TRUE(ask(dial, ReplaceState{parse_json(R"({"position":40})", "test").value()}));
    EXPECT_EQ(call(dial, Position{}), 40);
    auto const bad = ask(dial, ReplaceState{parse_json(R"({"position":1,"unit":2})", "test").value()});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(call(dial, Position{}), 40);
}

TEST_F(SystemMessages, a_state_shown_by_a_const_reference_is_only_looked_at) {
    auto const gauge = simulation.node().start<Gauge>().value();
    EXPECT_TRUE(ask(gauge, GetState{}));
    auto const replaced = ask(gauge, ReplaceState{parse_json("{}", "test").value()});
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().code(), ErrorCode::unsupported);
}

TEST_F(SystemMessages, a_suspended_process_queues_messages_and_still_answers_system_messages) {
    ASSERT_TRUE(ask(dial, Suspend{}));
    cast(dial, Turn{1});
    cast(dial, Turn{1});
    EXPECT_EQ(call(dial, Position{}, 100ms).error().code(), ErrorCode::timed_out);
    EXPECT_EQ(format_json(ask(dial, GetState{}).value()), R"({"position":0,"unit":"lx"})");
    ASSERT_TRUE(ask(dial, Resume{}));
    EXPECT_EQ(call(dial, Position{}), 2);
}

TEST_F(SystemMessages, a_suspended_process_can_be_stopped_and_killed) {
    ASSERT_TRUE(ask(dial, Suspend{}));
    cast(dial, Turn{1});
    EXPECT_TRUE(stop_and_wait(dial, ExitReason::normal(), 1s));
    EXPECT_FALSE(is_alive(dial));
    auto const other = simulation.node().start<Dial>().value();
    ASSERT_TRUE(ask(other, Suspend{}));
    exit(other, ExitReason::kill());
    simulation.run_until_settled();
    EXPECT_FALSE(is_alive(other));
}

TEST_F(SystemMessages, a_suspended_process_ends_with_its_supervisor) {
    auto const tree = simulation.node().start(supervise(Strategy::one_for_one, {child<Dial>()})).value();
    auto const supervised = whereis(name<Dial>);
    ASSERT_TRUE(ask(supervised, Suspend{}));
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown(), 10s));
    EXPECT_FALSE(is_alive(supervised));
}

TEST_F(SystemMessages, a_process_that_awaits_an_answer_is_suspended_afterwards) {
    spawn([this]() -> Async<> {
        auto const slow = co_await request(dial, Slow{});
        (void)slow;
    });
    simulation.run_until_settled();
    auto const suspended = call(system_of(dial), Suspend{}, 5s);
    ASSERT_TRUE(suspended);
    EXPECT_EQ(format_json(ask(dial, GetState{}).value()), R"({"position":1,"unit":"lx"})");
}

TEST_F(SystemMessages, a_trace_tells_each_message_until_its_limit) {
    auto const collector = simulation.node().start<TraceCollector>().value();
    ASSERT_TRUE(ask(dial, StartTrace{.recipient = collector, .limit = 3}));
    cast(dial, Turn{});
    EXPECT_EQ(call(dial, Position{}), 1);
    cast(dial, Turn{});
    cast(dial, Turn{});
    EXPECT_EQ(call(dial, Position{}), 3);
    EXPECT_THAT(call(collector, TraceCollector::Texts{}).value(), ElementsAre("Turn", "Position", "Turn"));
}

TEST_F(SystemMessages, a_trace_tells_a_failed_handler_and_ends_when_asked) {
    auto const collector = simulation.node().start<TraceCollector>().value();
    ASSERT_TRUE(ask(dial, StartTrace{.recipient = collector}));
    cast(dial, Turn{});
    ASSERT_TRUE(ask(dial, StopTrace{}));
    cast(dial, Turn{});
    ASSERT_TRUE(ask(dial, StartTrace{.recipient = collector}));
    send(dial, Break{});
    simulation.run_until_settled();
    EXPECT_THAT(call(collector, TraceCollector::Texts{}).value(), ElementsAre("Turn", "Break failed"));
}

TEST_F(SystemMessages, statistics_count_from_their_start) {
    cast(dial, Turn{});
    EXPECT_EQ(ask(dial, GetStatistics{}).error().code(), ErrorCode::not_found);
    ASSERT_TRUE(ask(dial, StartStatistics{}));
    cast(dial, Turn{});
    cast(dial, Turn{});
    simulation.advance(5s);
    auto const counted = ask(dial, GetStatistics{}).value();
    EXPECT_EQ(counted.messages, 2);
    EXPECT_EQ(counted.counted, Duration(5s));
    EXPECT_THAT(counted.longest_message, HasSubstr("Turn"));
    ASSERT_TRUE(ask(dial, StopStatistics{}));
    EXPECT_FALSE(ask(dial, GetStatistics{}));
}

TEST_F(SystemMessages, a_large_answer_reaches_a_process_that_asked) {
    cast(dial, Turn{5});
    std::string state;
    spawn([&state, this]() -> Async<> {
        auto asked = request(system_of(dial), GetState{});
        Result<Value> answer = co_await asked;
        state = format_json(*answer);
    });
    simulation.advance(1s);
    EXPECT_EQ(state, R"({"position":5,"unit":"lx"})");
}

TEST_F(SystemMessages, of_a_process_that_is_gone_are_an_error) {
    ASSERT_TRUE(stop_and_wait(dial));
    EXPECT_EQ(ask(dial, GetState{}).error().code(), ErrorCode::not_found);
}

class SystemMessagesEverywhere : public WorldTest {};
SINEW_IN_BOTH_WORLDS(SystemMessagesEverywhere);

TEST_P(SystemMessagesEverywhere, nothing_is_lost_by_suspending_under_load) {
    auto const dial = world.node().start<Dial>().value();
    constexpr int senders = 4;
    constexpr int each = 200;
    for (int i = 0; i < senders; ++i) {
        spawn([dial] {
            for (int sent = 0; sent < each; ++sent) {
                cast(dial, Turn{});
            }
        });
    }
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(call(system_of(dial), Suspend{}));
        ASSERT_TRUE(call(system_of(dial), GetState{}));
        ASSERT_TRUE(call(system_of(dial), Resume{}));
    }
    world.settle();
    EXPECT_EQ(call(dial, Position{}), senders * each);
}

TEST_P(SystemMessagesEverywhere, the_details_of_a_process_name_its_ancestors) {
    ProbeRef const a = start("a");
    ProbeRef b;
    ProbeRef c;
    in(a, [&](Probe&) { b = spawn_link<Probe>(Probe::Options{.name = "b", .journal = &journal}); });
    in(b, [&](Probe&) {
        set_label("the middle");
        c = spawn_link<Probe>(Probe::Options{.name = "c", .journal = &journal, .traps_exit = true});
        monitor(c);
    });
    ProcessDetails const middle = call(system_of(b), GetDetails{}).value();
    EXPECT_EQ(middle.label, "the middle");
    EXPECT_EQ(middle.parent, a.pid());
    EXPECT_THAT(middle.ancestors, ElementsAre(a.pid()));
    EXPECT_THAT(middle.links, ::testing::UnorderedElementsAre(a.pid(), c.pid()));
    EXPECT_EQ(middle.monitors, 1U);
    EXPECT_FALSE(middle.traps_exit);
    ProcessDetails const last = call(system_of(c), GetDetails{}).value();
    EXPECT_THAT(last.ancestors, ElementsAre(b.pid(), a.pid()));
    EXPECT_EQ(last.watchers, 1U);
    EXPECT_TRUE(last.traps_exit);
}

} // namespace
} // namespace sinew::testing
