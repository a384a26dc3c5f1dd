// Selective receive and conversations, against what Erlang's `receive` does.
#include "talk.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Receives : public WorldTest {
protected:
    TalkRef talk(Script script, bool traps_exit = false) {
        return world.node().start<Talk>({}, Talk::Options{&journal, std::move(script), traps_exit}).value();
    }
    std::string end_of(Pid pid) {
        watch(pid);
        return lines().back();
    }
};
SINEW_IN_BOTH_WORLDS(Receives);

Async<> number_then_words(Talk& self) {
    self.say(text_of(co_await Talk::receive<Number>()));
    self.say(text_of(co_await Talk::receive<Word>()));
    self.say(text_of(co_await Talk::receive<Word>()));
}

TEST_P(Receives, takes_what_it_asks_for_and_leaves_the_rest_in_order) {
    TalkRef const talker = talk(number_then_words);
    send(talker, Word{"a"});
    send(talker, Word{"b"});
    send(talker, Number{1});
    EXPECT_THAT(lines(), ElementsAre("1", "a", "b", "terminate normal"));
}

TEST_P(Receives, finds_a_message_that_waited_before_it_was_asked_for) {
    TalkRef const talker = talk([](Talk& self) -> Async<> {
        co_await pause(1s);
        self.say(text_of(co_await Talk::receive<Word>(0s)));
        self.say(text_of(co_await Talk::receive<Word>(0s)));
    });
    send(talker, Word{"early"});
    if (GetParam() == Mode::simulation) {
        world.simulation().advance(2s);
    } else {
        watch(talker.pid());
        while (is_alive(talker.pid())) {
            world.settle();
        }
    }
    EXPECT_THAT(lines(), ::testing::IsSupersetOf({"early", "nothing", "terminate normal"}));
}

Async<> either(Talk& self) {
    for (int i = 0; i < 2; ++i) {
        auto const message = co_await Talk::receive<Number, Word>();
        self.say(std::holds_alternative<Number>(*message) ? "number"
                                                          : "word " + std::get<Word>(*message).text);
    }
}

TEST_P(Receives, several_types_in_the_order_they_came) {
    TalkRef const talker = talk(either);
    send(talker, Page{"x", "y"});
    send(talker, Word{"w"});
    send(talker, Number{3});
    EXPECT_THAT(lines(), ElementsAre("word w", "number", "terminate normal"));
}

TEST_P(Receives, large_messages_whole) {
    TalkRef const talker = talk([](Talk& self) -> Async<> {
        auto const page = co_await Talk::receive<Page>();
        self.say(page->first + page->second);
    });
    send(talker, Page{std::string(100, 'a'), std::string(100, 'b')});
    EXPECT_THAT(lines(), ElementsAre(std::string(100, 'a') + std::string(100, 'b'), "terminate normal"));
}

TEST_P(Receives, calls_and_answers_them) {
    TalkRef const talker = talk([](Talk& self) -> Async<> {
        for (;;) {
            auto asked = co_await Talk::receive<Asked<Question>, Asked<Increment>>();
            if (auto* const question = std::get_if<Asked<Question>>(&*asked)) {
                question->reply.reply("answer " + std::to_string(question->request.number));
            } else {
                std::get<Asked<Increment>>(*asked).reply.reply();
                self.say("incremented");
            }
        }
    });
    EXPECT_EQ(call(talker, Question{7}), "answer 7");
    EXPECT_TRUE(call(talker, Increment{}));
    EXPECT_EQ(call(talker, Question{8}), "answer 8");
    EXPECT_THAT(lines(), ElementsAre("incremented"));
}

TEST_P(Receives, a_call_that_is_dropped_fails) {
    TalkRef const talker = talk([](Talk&) -> Async<> {
        {
            auto const dropped = co_await Talk::receive<Asked<Question>>();
        }
        (void)co_await Talk::receive<Number>();
    });
    Result<std::string> const answer = call(talker, Question{});
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message(), HasSubstr("dropped the question"));
}

TEST_P(Receives, a_call_it_never_receives_is_answered_by_its_end) {
    TalkRef const talker = talk([](Talk&) -> Async<> { (void)co_await Talk::receive<Number>(); });
    ProbeRef const asker = start("asker");
    in(asker, [talker](Probe& self) {
        request(talker, Question{}).then([&self](Result<std::string> const& answer) {
            self.say(answer.error().message());
        });
    });
    EXPECT_THAT(lines(), IsEmpty());
    send(talker, Number{});
    EXPECT_THAT(lines().back(), HasSubstr("ended before it answered: normal"));
}

TEST_P(Receives, its_return_ends_the_process_normally) {
    TalkRef const talker = talk([](Talk&) -> Async<> { co_return; });
    EXPECT_EQ(end_of(talker.pid()), "w: DOWN ? noproc");
    EXPECT_THAT(lines().front(), "terminate normal");
}

TEST_P(Receives, an_exception_after_a_receive_ends_the_process) {
    TalkRef const talker = talk([](Talk&) -> Async<> {
        (void)co_await Talk::receive<Number>();
        throw std::runtime_error("broken");
    });
    watch(talker.pid());
    send(talker, Number{});
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("terminate std::runtime_error: broken"), HasSubstr("broken")));
}

struct SaysItsEnd {
    Talk* talk;
    explicit SaysItsEnd(Talk& of)
        : talk(&of) {}
    SaysItsEnd(SaysItsEnd const&) = delete;
    SaysItsEnd& operator=(SaysItsEnd const&) = delete;
    SaysItsEnd(SaysItsEnd&&) = delete;
    SaysItsEnd& operator=(SaysItsEnd&&) = delete;
    ~SaysItsEnd() { talk->say("unwound"); }
};
Async<> waits_forever(Talk& self) {
    SaysItsEnd const guard(self);
    (void)co_await Talk::receive<Number>();
    self.say("not reached");
}

TEST_P(Receives, stop_ends_it_where_it_waits) {
    TalkRef const talker = talk(waits_forever);
    EXPECT_TRUE(stop_and_wait(talker.pid()));
    EXPECT_THAT(lines(), ElementsAre("unwound", "terminate normal"));
}

TEST_P(Receives, an_exit_signal_ends_it_where_it_waits) {
    TalkRef const talker = talk(waits_forever);
    exit(talker.pid(), ExitReason::shutdown());
    EXPECT_THAT(lines(), ElementsAre("unwound"));
}

TEST_P(Receives, the_exit_of_its_parent_ends_it_even_when_it_traps_exits) {
    std::optional<TalkRef> child;
    ProbeRef const parent = start("parent");
    in(parent, [&](Probe&) { child = spawn_link<Talk>(Talk::Options{&journal, waits_forever, true}); });
    exit(parent.pid(), ExitReason::shutdown());
    EXPECT_THAT(lines(), ElementsAre("unwound", "terminate shutdown"));
}

TEST_P(Receives, exits_and_downs_as_messages) {
    ProbeRef const other = start("other");
    ProbeRef const linked = start("linked");
    talk(
        [other, linked](Talk& self) -> Async<> {
            link(linked.pid());
            MonitorRef const ref = monitor(other.pid());
            exit(linked.pid(), ExitReason::shutdown());
            auto const ended = co_await Talk::receive<Exit>();
            self.say("exit " + ended->reason.to_string());
            exit(other.pid(), ExitReason::kill());
            auto const down = co_await Talk::receive<Down>();
            self.say("down " + down->reason.to_string() + (down->monitor == ref ? "" : " of another"));
        },
        true);
    EXPECT_THAT(lines(), ElementsAre("exit shutdown", "down killed", "terminate normal"));
}

TEST_P(Receives, awaits_requests_while_messages_wait) {
    TalkRef const other = talk([](Talk&) -> Async<> {
        auto asked = co_await Talk::receive<Asked<Question>>();
        asked->reply.reply("yes");
        (void)co_await Talk::receive<Number>();
    });
    TalkRef const talker = talk([other](Talk& self) -> Async<> {
        (void)co_await Talk::receive<Number>();
        auto const answer = co_await request(other, Question{});
        self.say(*answer);
        self.say(text_of(co_await Talk::receive<Word>()));
    });
    send(talker, Word{"waiting"});
    send(talker, Number{});
    EXPECT_THAT(lines(), ElementsAre("yes", "waiting", "terminate normal"));
}

TEST_P(Receives, continuations_run_meanwhile) {
    TalkRef const other = talk([](Talk&) -> Async<> {
        auto asked = co_await Talk::receive<Asked<Question>>();
        asked->reply.reply("yes");
        (void)co_await Talk::receive<Number>();
    });
    TalkRef const talker = talk([other](Talk& self) -> Async<> {
        request(other, Question{}).then([&self](Result<std::string> const& answer) { self.say(*answer); });
        self.say(text_of(co_await Talk::receive<Number>()));
    });
    EXPECT_THAT(lines(), ElementsAre("yes"));
    send(talker, Number{5});
    EXPECT_THAT(lines(), ElementsAre("yes", "5", "terminate normal"));
}

TEST_P(Receives, is_seen_from_outside) {
    TalkRef const talker = talk(waits_forever);
    world.settle();
    send(talker, Word{"unwanted"});
    world.settle();
    EXPECT_EQ(process_info(talker.pid())->state, ProcessState::receiving);
    EXPECT_EQ(process_info(talker.pid())->mailbox_length, 1U);
}

TEST_P(Receives, nothing_while_it_is_suspended_by_a_system_message) {
    TalkRef const talker = talk(number_then_words);
    EXPECT_TRUE(call(system_of(talker.pid()), Suspend{}));
    send(talker, Number{1});
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_TRUE(call(system_of(talker.pid()), Resume{}));
    EXPECT_THAT(lines(), ElementsAre("1"));
}

TEST_P(Receives, in_the_handler_of_a_server_too) {
    struct Begin {};
    class Mixed : public Server<Mixed> {
    public:
        explicit Mixed(Journal& journal)
            : m_journal(&journal) {}
        Async<> handle_info(Begin /*message*/) {
            m_journal->add("begin");
            auto const number = co_await receive<Number>();
            m_journal->add("received " + std::to_string(number->value));
        }
        void handle_info(Number number) { m_journal->add("handled " + std::to_string(number.value)); }
        void handle_info(Word const& word) { m_journal->add(word.text); }

    private:
        Journal* m_journal;
    };
    auto const mixed = world.node().start<Mixed>({}, std::ref(journal)).value();
    send(mixed, Number{1});
    send(mixed, Begin{});
    send(mixed, Word{"later"});
    send(mixed, Number{2});
    EXPECT_THAT(lines(), ElementsAre("handled 1", "begin", "received 2", "later"));
}

TEST_P(Receives, an_inbox_makes_any_process_a_receiver) {
    TalkRef const echo = talk([](Talk&) -> Async<> {
        auto asked = co_await Talk::receive<Asked<Question>>();
        asked->reply.reply("ready");
        (void)co_await Talk::receive<Number>();
    });
    Journal& said = journal;
    Recipient<Number> to;
    spawn([&said, &to]() -> Async<> {
        to = inbox<Number>();
        auto const number = co_await receive<Number>();
        said.add("got " + std::to_string(number->value));
    });
    world.settle();
    send(to, Number{9});
    world.settle();
    EXPECT_THAT(lines(), ElementsAre("got 9"));
    send(to, Number{10}); // It is gone; that is no error.
    EXPECT_TRUE(is_alive(echo.pid()));
}

TEST_P(Receives, what_an_inbox_brings_without_a_receiver_is_dropped) {
    ProbeRef const probe = start("a");
    in(probe, [](Probe&) { send(inbox<Number>(), Number{1}); });
    in(probe, [](Probe& self) { self.say("lives"); });
    EXPECT_THAT(lines(), ElementsAre("a: lives"));
}

TEST(ReceivesFromTheKernel, a_descriptor_that_is_ready) {
    Node node{NodeOptions{.workers = 1}};
    Journal journal;
    FileDescriptor const event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    Script const script = [&event](Talk& self) -> Async<> {
        auto const watching = FileWatch::create(event.get());
        for (int i = 0; i < 2; ++i) {
            auto const ready = co_await Talk::receive<FileReady>();
            std::uint64_t count = 0;
            (void)!read(ready->fd, &count, sizeof count);
            self.say("ready " + std::to_string(count));
        }
    };
    auto const talker = node.start<Talk>({}, Talk::Options{&journal, script}).value();
    for (std::uint64_t const count : {3U, 4U}) {
        std::size_t const before = journal.lines().size();
        (void)!write(event.get(), &count, sizeof count);
        while (journal.lines().size() == before) {
            std::this_thread::yield();
        }
    }
    while (is_alive(talker)) {
        std::this_thread::yield();
    }
    EXPECT_THAT(journal.lines(), ElementsAre("ready 3", "ready 4", "terminate normal"));
}

TEST_P(Receives, many_without_starving_others) {
    TalkRef const greedy = talk([](Talk& self) -> Async<> {
        for (int i = 0; i < 5000; ++i) {
            (void)co_await Talk::receive<Number>();
        }
        self.say("greedy");
    });
    ProbeRef const sender = start("a");
    in(sender, [greedy](Probe& self) {
        for (int i = 0; i < 5000; ++i) {
            send(greedy, Number{i});
        }
        send(self.self(), Note{"other"});
    });
    EXPECT_THAT(lines(), ElementsAre("a: other", "greedy", "terminate normal"));
}

} // namespace
} // namespace sinew::testing
