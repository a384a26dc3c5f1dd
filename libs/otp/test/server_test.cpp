// Servers: calls, casts, deferred answers and requests, against what real OTP was observed to do.
#include "answerer.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Servers : public AnswererTest {};
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
    }
    EXPECT_THAT(lines_once_there_are(1), ElementsAre("asker: timed_out"));
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
        world.simulation().advance(9ms);
        EXPECT_THAT(lines(), IsEmpty());
        world.simulation().advance(1ms);
    }
    EXPECT_THAT(lines_once_there_are(2), ElementsAre("asker: 7", "asker: after"));
}

TEST_P(Servers, a_process_killed_while_it_waits_frees_what_it_waited_for) {
    start_answerer("other");
    auto const server = start_answerer("asker", "other");
    auto const asker = start("client");
    in(asker, [server](Probe& probe) {
        request(server, Pause{.time = 1h}).then([&probe](Result<int> reply) {
            probe.say(reply.error().message());
        });
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

TEST_P(Servers, a_recipient_of_a_name_is_whoever_has_that_now) {
    Recipient<Note> const recipient = name<Probe>("left");
    recipient.send(Note{"nobody"});
    EXPECT_FALSE(recipient.pid());
    auto const first =
        world.node().start<Probe>({.name = "left"}, Probe::Options{.name = "1", .journal = &journal}).value();
    recipient.send(Note{"one"});
    EXPECT_EQ(recipient.pid(), first.pid());
    ASSERT_TRUE(stop_and_wait(first.pid()));
    (void)world.node()
        .start<Probe>({.name = "left"}, Probe::Options{.name = "2", .journal = &journal})
        .value();
    send(recipient, Note{"two"});
    EXPECT_THAT(lines(), ElementsAre("1: one", "2: two"));
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
    static_assert(std::is_convertible_v<TypeName<Probe>, Recipient<Note>>);
    static_assert(!std::is_convertible_v<TypeName<Probe>, Recipient<Echo>>);
    SUCCEED();
}

} // namespace
} // namespace sinew::testing
