// Selective receive with a limit of time.
#include "talk.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReceivesInTime : public ::testing::Test {
protected:
    TalkRef talk(Script script) {
        return simulation.node().start<Talk>({}, Talk::Options{&journal, std::move(script)}).value();
    }
    Simulation simulation{11};
    Journal journal;
};

TEST_F(ReceivesInTime, nothing_when_the_time_is_over_and_nothing_is_left_behind) {
    TalkRef const talker = talk([](Talk& self) -> Async<> {
        self.say(text_of(co_await Talk::receive<Number>(1s)));
        self.say(text_of(co_await Talk::receive<Number>(1s)));
    });
    simulation.advance(1s);
    send(talker, Number{4});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("nothing", "4", "terminate normal"));
}

TEST_F(ReceivesInTime, never_early) {
    talk([](Talk& self) -> Async<> { self.say(text_of(co_await Talk::receive<Number>(1s))); });
    simulation.advance(999ms);
    EXPECT_THAT(journal.lines(), IsEmpty());
    simulation.advance(1ms);
    EXPECT_THAT(journal.lines(), ElementsAre("nothing", "terminate normal"));
}

TEST_F(ReceivesInTime, other_messages_do_not_prolong_it) {
    TalkRef const talker =
        talk([](Talk& self) -> Async<> { self.say(text_of(co_await Talk::receive<Number>(1s))); });
    simulation.advance(900ms);
    send(talker, Word{"unwanted"});
    simulation.advance(100ms);
    EXPECT_THAT(journal.lines(), ElementsAre("nothing", "terminate normal"));
}

TEST_F(ReceivesInTime, its_own_timers_bring_messages) {
    talk([](Talk& self) -> Async<> {
        self.send_after(3s, Word{"tick"});
        self.say(text_of(co_await Talk::receive<Word>()));
    });
    simulation.advance(3s);
    EXPECT_THAT(journal.lines(), ElementsAre("tick", "terminate normal"));
}

TEST_F(ReceivesInTime, zero_looks_without_waiting) {
    TalkRef const talker = talk([](Talk& self) -> Async<> {
        (void)co_await Talk::receive<Word>();
        self.say(text_of(co_await Talk::receive<Number>(0s)));
        self.say(text_of(co_await Talk::receive<Number>(0s)));
    });
    send(talker, Number{6});
    send(talker, Word{"go"});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("6", "nothing", "terminate normal"));
}

TEST_F(ReceivesInTime, a_time_that_ends_while_it_is_suspended_shows_afterwards) {
    TalkRef const talker =
        talk([](Talk& self) -> Async<> { self.say(text_of(co_await Talk::receive<Number>(1s))); });
    EXPECT_TRUE(call(system_of(talker.pid()), Suspend{}));
    simulation.advance(5s);
    EXPECT_THAT(journal.lines(), IsEmpty());
    EXPECT_TRUE(call(system_of(talker.pid()), Resume{}));
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("nothing", "terminate normal"));
}

TEST_F(ReceivesInTime, terminate_may_receive) {
    class Polite : public Conversation<Polite, Word> {
    public:
        explicit Polite(Journal& journal)
            : m_journal(&journal) {}
        Async<> run() {
            auto const word = co_await receive<Word>();
            (void)word;
        }
        Async<> terminate(ExitReason /*reason*/) {
            auto const last = co_await receive<Word>(1s);
            m_journal->add(text_of(last));
        }

    private:
        Journal* m_journal;
    };
    auto const polite = simulation.node().start<Polite>({}, std::ref(journal)).value();
    ProbeRef const stopper =
        simulation.node().start<Probe>({}, Probe::Options{.name = "s", .journal = &journal}).value();
    (void)call(stopper, RunInside{[polite](Probe&) { stop(polite.pid()).then([](Result<> const&) {}); }});
    simulation.run_until_settled();
    send(polite, Word{"goodbye"});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("goodbye"));
    EXPECT_FALSE(is_alive(polite.pid()));
}

TEST_F(ReceivesInTime, under_a_supervisor_it_begins_anew_after_a_crash) {
    int runs = 0;
    Script const script = [&runs](Talk& self) -> Async<> {
        self.say("run " + std::to_string(++runs));
        (void)co_await Talk::receive<Number>();
        throw std::runtime_error("broken");
    };
    auto const supervisor =
        simulation.node().start(supervise(Strategy::one_for_one, {child<Talk>({&journal, script})}));
    ASSERT_TRUE(supervisor) << supervisor.error().message();
    simulation.run_until_settled();
    send(name<Talk>, Number{});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("run 1", HasSubstr("terminate"), "run 2"));
}

} // namespace
} // namespace sinew::testing
