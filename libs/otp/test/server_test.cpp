// Servers: start, calls, casts, stop and terminate, against what real OTP was observed to do.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Echo {
    using Reply = std::string;
    std::string text;
};
struct Fail {
    using Reply = int;
};
struct Refuse {
    using Reply = Result<int>;
    bool refuses = true;
};
struct AnswerLater {
    using Reply = int;
};
struct AnswerNow {
    int value = 0;
};
struct StopWithReply {
    using Reply = std::string;
};
struct StopWithoutReply {
    using Reply = int;
};
struct AskSelf {
    using Reply = std::string;
};
struct AskOther {
    using Reply = std::string;
    std::string text;
    Duration timeout = 5s;
};
struct Large {
    using Reply = std::array<int, 64>;
    std::array<int, 64> values{};
};
struct Never {
    using Reply = int;
};
struct Pause {
    using Reply = int;
};
struct Work {
    using Reply = std::string;
    bool fails = false;
};
struct MoveOnly {
    using Reply = std::unique_ptr<int>;
    std::unique_ptr<int> value;
};

class Answerer : public Server<Answerer> {
public:
    explicit Answerer(Journal& journal, std::string other = {})
        : m_journal(&journal)
        , m_other(std::move(other)) {}
    std::string handle_call(Echo request) { return request.text; }
    int handle_call(Fail /*request*/) { throw std::runtime_error("crashed"); }
    Result<int> handle_call(Refuse request) {
        if (request.refuses) {
            return failure(ErrorCode::denied, "not today");
        }
        return 1;
    }
    void handle_call(AnswerLater /*request*/, Deferred<AnswerLater> reply) {
        m_waiting.push_back(std::move(reply));
    }
    void handle_call(Never /*request*/, Deferred<Never> reply) { m_never.push_back(std::move(reply)); }
    void handle_cast(AnswerNow message) {
        for (auto& reply : m_waiting) {
            reply.reply(message.value);
            reply.reply(message.value + 1);
        }
        m_waiting.clear();
        m_never.clear();
    }
    std::string handle_call(StopWithReply /*request*/) {
        stop(ExitReason::shutdown("done"));
        return "bye";
    }
    int handle_call(StopWithoutReply /*request*/) { exit_self(ExitReason::normal()); }
    Async<std::string> handle_call(AskSelf /*request*/) {
        auto asked = request(self(), Echo{"me"});
        auto reply = co_await asked;
        co_return reply ? *reply : reply.error().message();
    }
    Async<std::string> handle_call(AskOther ask) {
        auto asked = request(name<Answerer>(m_other), Echo{ask.text}, ask.timeout);
        auto reply = co_await asked;
        co_return reply ? "other says " + *reply : reply.error().message();
    }
    Large::Reply handle_call(Large request) { return request.values; }
    std::unique_ptr<int> handle_call(MoveOnly request) { return std::move(request.value); }
    Async<int> handle_call(Pause /*request*/) {
        co_await pause(100ms);
        co_return 7;
    }
    Async<std::string> handle_call(Work work) {
        auto result = co_await blocking([fails = work.fails] {
            if (fails) {
                throw std::runtime_error("disk on fire");
            }
            return std::string("worked");
        });
        co_return result ? *result : result.error().message();
    }
    void handle_info(Note note) { m_journal->add(note.text); }
    void terminate(ExitReason const& reason) { m_journal->add("terminate " + reason.to_string()); }

private:
    Journal* m_journal;
    std::string m_other;
    std::vector<Deferred<AnswerLater>> m_waiting;
    std::vector<Deferred<Never>> m_never;
};

class Servers : public WorldTest {
protected:
    ServerRef<Answerer> start_answerer(std::string const& text_name = {}, std::string const& other = {}) {
        return world.node().start<Answerer>({.name = text_name}, std::ref(journal), other).value();
    }
};
SINEW_IN_BOTH_WORLDS(Servers);

TEST_P(Servers, a_call_returns_the_reply) {
    EXPECT_EQ(call(start_answerer(), Echo{"hello"}).value(), "hello");
}

TEST_P(Servers, large_and_move_only_messages_pass) {
    auto const server = start_answerer();
    Large request;
    request.values[63] = 5;
    EXPECT_EQ(call(server, request).value()[63], 5);
    EXPECT_EQ(*call(server, MoveOnly{std::make_unique<int>(3)}).value(), 3);
}

TEST_P(Servers, calling_a_dead_process_is_not_found) {
    auto const server = start_answerer();
    ASSERT_TRUE(stop_and_wait(server));
    auto const reply = call(server, Echo{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::not_found);
}

TEST_P(Servers, calling_a_free_name_is_not_found_and_names_the_server) {
    auto const reply = call(name<Answerer>, Echo{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::not_found);
    EXPECT_THAT(reply.error().message(), HasSubstr("Answerer"));
}

TEST_P(Servers, a_process_that_calls_itself_gets_an_error_and_no_deadlock) {
    EXPECT_THAT(call(start_answerer(), AskSelf{}).value(), HasSubstr("can't wait for its own answer"));
}

TEST_P(Servers, a_handler_can_await_another_servers_answer) {
    start_answerer("other");
    auto const server = start_answerer("asker", "other");
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(call(server, AskOther{.text = "x"}).value(), "other says x");
    }
}

TEST_P(Servers, a_handler_that_asks_nobody_gets_an_error) {
    EXPECT_THAT(call(start_answerer("asker", "nobody"), AskOther{.text = "x"}).value(),
                HasSubstr("no such process"));
}

TEST_P(Servers, the_crash_of_the_server_is_the_callers_error_with_its_reason) {
    auto const reply = call(start_answerer(), Fail{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(reply.error().message(), HasSubstr("std::runtime_error: crashed"));
}

TEST_P(Servers, calls_waiting_in_the_mailbox_hear_of_the_end) {
    auto const server = start_answerer();
    auto const asker = start("asker");
    in(asker, [server](Probe& probe) {
        for (int i = 0; i < 3; ++i) {
            request(server, Fail{}).then([&probe](Result<int> reply) { probe.say(reply.error().message()); });
        }
    });
    EXPECT_THAT(lines(), ElementsAre("terminate std::runtime_error: crashed", HasSubstr("crashed"),
                                     HasSubstr("crashed"), HasSubstr("crashed")));
}

TEST_P(Servers, a_server_that_stops_without_a_reply_fails_the_call) {
    auto const reply = call(start_answerer(), StopWithoutReply{});
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().message(), HasSubstr("ended before it answered: normal"));
}

TEST_P(Servers, a_reply_that_stops_comes_after_terminate) {
    auto const server = start_answerer();
    EXPECT_EQ(call(server, StopWithReply{}).value(), "bye");
    EXPECT_THAT(lines(), ElementsAre("terminate shutdown (done)"));
    EXPECT_FALSE(is_alive(server));
}

TEST_P(Servers, a_reply_that_is_a_result_is_not_wrapped_twice) {
    auto const server = start_answerer();
    EXPECT_EQ(call(server, Refuse{false}).value(), 1);
    EXPECT_EQ(call(server, Refuse{true}).error().message(), "not today");
}

TEST_P(Servers, a_deferred_reply_can_come_from_another_message) {
    auto const server = start_answerer();
    auto const asker = start("asker");
    in(asker, [server](Probe& probe) {
        request(server, AnswerLater{}).then([&probe](Result<int> reply) {
            probe.say(std::to_string(*reply));
        });
    });
    world.settle();
    cast(server, AnswerNow{5});
    // The second answer does nothing.
    EXPECT_THAT(lines(), ElementsAre("asker: 5"));
}

TEST_P(Servers, a_deferred_reply_that_is_dropped_fails_the_call) {
    auto const server = start_answerer();
    auto const asker = start("asker");
    in(asker, [server](Probe& probe) {
        request(server, Never{}).then([&probe](Result<int> reply) { probe.say(reply.error().message()); });
    });
    world.settle();
    cast(server, AnswerNow{});
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("dropped the question")));
}

TEST_P(Servers, a_deferred_reply_can_be_answered_by_any_thread) {
    (void)start_answerer();
    std::optional<Deferred<AnswerLater>> held;
    struct Holder : Server<Holder> {
        explicit Holder(std::optional<Deferred<AnswerLater>>& place)
            : m_place(&place) {}
        void handle_call(AnswerLater /*request*/, Deferred<AnswerLater> reply) {
            m_place->emplace(std::move(reply));
        }
        std::optional<Deferred<AnswerLater>>* m_place;
    };
    auto const holder = world.node().start<Holder>({}, std::ref(held)).value();
    auto const asker = start("asker");
    in(asker, [holder](Probe& probe) {
        request(holder, AnswerLater{}).then([&probe](Result<int> reply) {
            probe.say(std::to_string(*reply));
        });
    });
    world.settle();
    ASSERT_TRUE(held);
    if (GetParam() == Mode::threads) {
        std::thread([&held] { held->reply(9); }).join();
    } else {
        held->reply(9);
    }
    EXPECT_THAT(lines(), ElementsAre("asker: 9"));
    held.reset();
}

TEST_P(Servers, a_call_that_times_out_leaves_the_server_alive_and_its_late_reply_vanishes) {
    auto const server = start_answerer();
    auto const reply = call(server, AnswerLater{}, 5ms);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::timed_out);
    cast(server, AnswerNow{1});
    EXPECT_EQ(call(server, Echo{"next"}).value(), "next");
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Servers, a_request_that_times_out_in_a_process_never_sees_its_late_reply) {
    auto const server = start_answerer();
    auto const asker = start("asker");
    in(asker, [server](Probe& probe) {
        request(server, AnswerLater{}, 1ms).then([&probe](Result<int> reply) {
            probe.say(reply ? "late" : std::string(to_string(reply.error().code())));
        });
    });
    if (GetParam() == Mode::simulation) {
        world.simulation().advance(1ms);
    } else {
        std::this_thread::sleep_for(20ms);
    }
    world.settle();
    cast(server, AnswerNow{1});
    EXPECT_THAT(lines(), ElementsAre("asker: timed_out"));
}

TEST_P(Servers, blocking_work_answers_with_its_result_or_its_exception) {
    auto const server = start_answerer();
    EXPECT_EQ(call(server, Work{}).value(), "worked");
    EXPECT_THAT(call(server, Work{.fails = true}).value(), HasSubstr("disk on fire"));
}

TEST_P(Servers, a_handler_that_pauses_handles_nothing_meanwhile) {
    auto const server = start_answerer();
    auto const asker = start("asker");
    in(asker, [server](Probe& probe) {
        request(server, Pause{}).then([&probe](Result<int> reply) { probe.say(std::to_string(*reply)); });
        request(server, Echo{"after"}).then([&probe](Result<std::string> reply) { probe.say(*reply); });
    });
    if (GetParam() == Mode::simulation) {
        world.simulation().advance(99ms);
        EXPECT_THAT(lines(), IsEmpty());
        world.simulation().advance(1ms);
    } else {
        std::this_thread::sleep_for(130ms);
    }
    EXPECT_THAT(lines(), ElementsAre("asker: 7", "asker: after"));
}

TEST_P(Servers, a_process_killed_while_it_waits_frees_what_it_waited_for) {
    start_answerer("other");
    auto const server = start_answerer("asker", "other");
    auto const asker = start("client");
    in(asker, [server](Probe& probe) {
        request(server, Pause{}).then([&probe](Result<int> reply) { probe.say(reply.error().message()); });
    });
    world.settle();
    exit(server, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("ended before it answered: killed")));
}

TEST_P(Servers, call_inside_a_process_is_a_clear_error) {
    auto const server = start_answerer();
    auto const probe = start("probe");
    watch(probe);
    in(probe, [server](Probe&) { (void)call(server, Echo{}); });
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("use `co_await request(...)`")));
}

TEST_P(Servers, stop_waits_for_the_end) {
    auto const server = start_answerer();
    EXPECT_TRUE(stop_and_wait(server, ExitReason::error("bye")));
    EXPECT_FALSE(is_alive(server));
    EXPECT_THAT(lines(), ElementsAre("terminate error: bye"));
}

TEST_P(Servers, stopping_a_dead_process_is_not_found) {
    auto const server = start_answerer();
    ASSERT_TRUE(stop_and_wait(server));
    EXPECT_EQ(stop_and_wait(server).error().code(), ErrorCode::not_found);
}

TEST_P(Servers, terminate_runs_after_a_crash) {
    auto const server = start_answerer();
    (void)call(server, Fail{});
    EXPECT_THAT(lines(), ElementsAre("terminate std::runtime_error: crashed"));
}

TEST_P(Servers, terminate_does_not_run_on_an_exit_signal_without_trapping) {
    auto const server = start_answerer();
    exit(server, ExitReason::shutdown());
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_FALSE(is_alive(server));
}

TEST_P(Servers, terminate_does_not_run_on_kill) {
    auto const a = start("a", Probe::Options{.traps_exit = true, .journals_terminate = true});
    exit(a, ExitReason::kill());
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Servers, while_trapping_the_exit_of_another_than_the_parent_is_a_message) {
    auto const a = start("a", Probe::Options{.traps_exit = true, .journals_terminate = true});
    exit(a, ExitReason::shutdown());
    EXPECT_THAT(lines(), ElementsAre("a: EXIT ? shutdown"));
    EXPECT_TRUE(is_alive(a));
}

TEST_P(Servers, while_trapping_the_exit_of_the_parent_terminates) {
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

TEST_P(Servers, a_crash_in_terminate_replaces_the_reason) {
    class Stubborn : public Server<Stubborn> {
    public:
        void terminate(ExitReason const& /*reason*/) { throw std::runtime_error("in terminate"); }
    };
    auto const server = world.node().start<Stubborn>().value();
    watch(server);
    EXPECT_FALSE(stop_and_wait(server));
    EXPECT_THAT(lines(), ElementsAre("w: DOWN ? std::runtime_error: in terminate"));
}

TEST_P(Servers, an_init_that_fails_is_an_error_with_its_text) {
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

TEST_P(Servers, an_init_that_throws_is_an_error_with_its_exception) {
    auto const started = world.node().start<Probe>(
        {}, Probe::Options{.journal = &journal,
                           .on_init = [](Probe&) -> Result<Start> { throw std::runtime_error("oops"); }});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("std::runtime_error: oops"));
}

TEST_P(Servers, an_init_that_says_ignore_starts_nothing_and_is_no_error) {
    auto const started = world.node().start<Probe>(
        {},
        Probe::Options{.journal = &journal, .on_init = [](Probe&) { return Result<Start>(Start::ignore); }});
    ASSERT_TRUE(started);
    EXPECT_FALSE(*started);
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Servers, a_failed_linked_start_leaves_no_exit_message_with_a_trapping_starter) {
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

TEST_P(Servers, a_taken_name_is_an_error_that_names_its_owner) {
    auto const first = start_answerer("taken");
    auto const second = world.node().start<Answerer>({.name = "taken"}, std::ref(journal));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::exists);
    EXPECT_THAT(second.error().message(), HasSubstr(first.pid().to_string()));
    EXPECT_EQ(whereis(name<Answerer>("taken")), first);
}

TEST_P(Servers, a_failing_start_frees_its_name_before_the_answer) {
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

TEST_P(Servers, a_name_of_another_class_is_not_found) {
    start_answerer("mine");
    EXPECT_FALSE(whereis(name<Probe>("mine")));
}

TEST_P(Servers, one_process_can_be_registered_by_its_class) {
    auto const server =
        world.node().start<Answerer>({.is_registered_by_type = true}, std::ref(journal)).value();
    EXPECT_EQ(whereis(name<Answerer>), server);
    EXPECT_EQ(call(name<Answerer>, Echo{"x"}).value(), "x");
    ASSERT_TRUE(stop_and_wait(server));
    EXPECT_FALSE(whereis(name<Answerer>));
}

TEST_P(Servers, continue_with_comes_before_every_message) {
    auto const a = start("a", Probe::Options{.on_init = [](Probe& probe) -> Result<Start> {
                             send(probe.self(), Note{"early"});
                             probe.continue_with(Note{"continued"});
                             return Start::running;
                         }});
    EXPECT_THAT(lines(), ElementsAre("a: continued", "a: early"));
    (void)a;
}

TEST_P(Servers, a_recipient_sends_to_whoever_handles_the_message) {
    Recipient<Note> const recipient = start_answerer();
    recipient.send(Note{"typed"});
    send(recipient, Note{"again"});
    EXPECT_THAT(lines(), ElementsAre("typed", "again"));
}

class Sleepy : public Server<Sleepy> {
public:
    Sleepy(Journal& journal, Duration time, bool rearms = false)
        : m_journal(&journal)
        , m_time(time)
        , m_rearms(rearms) {}
    void init() { set_idle_timeout(m_time); }
    void handle_info(IdleTimeout /*message*/) { m_journal->add("idle"); }
    void handle_info(Note note) {
        m_journal->add(note.text);
        if (m_rearms) {
            set_idle_timeout(m_time);
        }
    }

private:
    Journal* m_journal;
    Duration m_time;
    bool m_rearms;
};

TEST(IdleTimeouts, come_when_no_message_came_for_their_time) {
    Simulation simulation;
    Journal journal;
    (void)simulation.node().start<Sleepy>({}, std::ref(journal), Duration(5s)).value();
    simulation.advance(5s - 1ns);
    EXPECT_THAT(journal.lines(), IsEmpty());
    simulation.advance(1ns);
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
    simulation.advance(60s);
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
}

TEST(IdleTimeouts, are_cancelled_by_any_message) {
    Simulation simulation;
    Journal journal;
    auto const server = simulation.node().start<Sleepy>({}, std::ref(journal), Duration(5s)).value();
    simulation.advance(4s);
    send(server, Note{"any"});
    simulation.advance(60s);
    EXPECT_THAT(journal.lines(), ElementsAre("any"));
}

TEST(IdleTimeouts, start_anew_with_each_handler_that_sets_one) {
    Simulation simulation;
    Journal journal;
    auto const server = simulation.node().start<Sleepy>({}, std::ref(journal), Duration(5s), true).value();
    for (int i = 0; i < 3; ++i) {
        simulation.advance(4s);
        send(server, Note{"again"});
    }
    simulation.advance(4s);
    EXPECT_THAT(journal.lines(), ElementsAre("again", "again", "again"));
    simulation.advance(1s);
    EXPECT_THAT(journal.lines(), ElementsAre("again", "again", "again", "idle"));
}

TEST(IdleTimeouts, of_zero_act_only_if_the_mailbox_is_empty) {
    Simulation simulation;
    Journal journal;
    (void)simulation.node().start<Sleepy>({}, std::ref(journal), Duration(0)).value();
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
    class Busy : public Server<Busy> {
    public:
        explicit Busy(Journal& journal)
            : m_journal(&journal) {}
        void init() {
            send(self(), Note{"waits"});
            set_idle_timeout(Duration(0));
        }
        void handle_info(IdleTimeout /*message*/) { m_journal->add("idle"); }
        void handle_info(Note note) { m_journal->add(note.text); }

    private:
        Journal* m_journal;
    };
    journal.clear();
    (void)simulation.node().start<Busy>({}, std::ref(journal)).value();
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("waits"));
}

TEST(IdleTimeouts, replace_the_one_set_before_in_the_same_handler) {
    class Twice : public Server<Twice> {
    public:
        explicit Twice(Journal& journal)
            : m_journal(&journal) {}
        void init() {
            set_idle_timeout(1s);
            set_idle_timeout(3s);
        }
        void handle_info(IdleTimeout /*message*/) { m_journal->add("idle"); }

    private:
        Journal* m_journal;
    };
    Simulation simulation;
    Journal journal;
    (void)simulation.node().start<Twice>({}, std::ref(journal)).value();
    simulation.advance(2s);
    EXPECT_THAT(journal.lines(), IsEmpty());
    simulation.advance(1s);
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
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

TEST_P(Servers, a_reply_of_a_handler_that_stops_is_sent_even_if_terminate_crashes) {
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

TEST_P(Servers, the_requests_of_a_process_do_not_outlive_it) {
    auto const server = start_answerer();
    auto const asker = start("asker");
    in(asker, [server](Probe& probe) {
        request(server, AnswerLater{}).then([&probe](Result<int>) { probe.say("never"); });
        probe.stop();
    });
    cast(server, AnswerNow{1});
    EXPECT_THAT(lines(), IsEmpty());
}

TEST(ServerTypes, wrong_messages_do_not_fit) {
    static_assert(HandlesCall<Answerer, Echo>);
    static_assert(HandlesCall<Answerer, AnswerLater>);
    static_assert(!HandlesCall<Probe, Echo>);
    static_assert(!HandlesCast<Answerer, Note>);
    static_assert(!HandlesInfo<Answerer, Echo>);
    static_assert(!std::is_convertible_v<ServerRef<Probe>, Recipient<Echo>>);
    SUCCEED();
}

} // namespace
} // namespace sinew::testing
