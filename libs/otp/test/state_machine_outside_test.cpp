// What a state machine asks for outside its events' handlers: in init() and in continuations. It ends like a
// handler. gen_statem does the actions of init() when it enters the first state.
#include "state_machine_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OutsideHandlers : public StateMachineTest {
protected:
    /// Runs `function` in a continuation of the machine.
    void continue_in(ServerRef<Lamp> lamp, std::function<void(Lamp&)> function) {
        cast(lamp, Do{[function = std::move(function)](Lamp& l) {
                 pause(1ms).then([&l, function](Result<> const& /*done*/) { function(l); });
             }});
        simulation.run_until_settled();
        simulation.advance(1ms);
    }
    static void ask_for_all(Lamp& l) {
        cast(l.self(), Do{[](Lamp& lamp) { lamp.say("mailbox"); }});
        l.set_timeout("zero", 0s, Tick{"zero"});
        l.next_event(Inner{[](Lamp& lamp) { lamp.say("inserted"); }});
        l.transition_to(Light::green);
    }
};

TEST_F(OutsideHandlers, what_init_asks_for_is_done_before_the_mailbox) {
    (void)simulation.node().start<Lamp>({}, std::ref(journal), nullptr, &ask_for_all).value();
    EXPECT_THAT(lines(), ElementsAre("red: enter from red", "green: enter from red", "green: inserted",
                                     "green: timeout zero", "green: mailbox"));
}

TEST_F(OutsideHandlers, what_init_asks_for_needs_no_foreign_event) {
    (void)simulation.node().start<Lamp>({}, std::ref(journal), nullptr, [](Lamp& l) {
        l.next_event(Inner{[](Lamp& lamp) { lamp.say("inserted"); }});
    });
    EXPECT_THAT(lines(), ElementsAre("red: enter from red", "red: inserted"));
    journal.clear();
    (void)simulation.node().start<Lamp>({}, std::ref(journal), nullptr,
                                        [](Lamp& l) { l.set_state_timeout(0s, Tick{"zero"}); });
    EXPECT_THAT(lines(), ElementsAre("red: enter from red", "red: timeout zero"));
}

TEST_F(OutsideHandlers, what_a_continuation_asks_for_is_done_before_the_mailbox) {
    auto const lamp = start();
    continue_in(lamp, &ask_for_all);
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: inserted", "green: timeout zero",
                                     "green: mailbox"));
}

TEST_F(OutsideHandlers, a_continuation_can_repeat_the_state) {
    auto const lamp = start();
    continue_in(lamp, [](Lamp& l) { l.repeat_state(); });
    EXPECT_THAT(lines(), ElementsAre("red: enter from red"));
}

TEST_F(OutsideHandlers, a_continuation_that_changes_the_state_brings_postponed_events_back) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) { l.state() == Light::green ? l.say("now") : l.postpone(); }});
    continue_in(lamp, [](Lamp& l) { l.transition_to(Light::green); });
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: now"));
}

TEST_F(OutsideHandlers, a_continuation_that_changes_the_state_cancels_the_timeout_of_the_old_one) {
    auto const lamp = start();
    continue_in(lamp, [](Lamp& l) { l.set_state_timeout(1s, Tick{"of red"}); });
    continue_in(lamp, [](Lamp& l) { l.transition_to(Light::green); });
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("green: enter from red"));
}

TEST_F(OutsideHandlers, a_state_timeout_of_the_continuation_that_changes_the_state_is_the_new_ones) {
    auto const lamp = start();
    continue_in(lamp, [](Lamp& l) {
        l.set_state_timeout(1s, Tick{"of green"});
        l.transition_to(Light::green);
    });
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: timeout of green"));
}

TEST_F(OutsideHandlers, a_state_timeout_of_the_first_state_does_not_survive_a_change_in_init) {
    (void)simulation.node().start<Lamp>(
        {}, std::ref(journal),
        [](Lamp& l) {
            if (l.state() == Light::red) {
                l.set_state_timeout(1s, Tick{"of red"});
            }
        },
        [](Lamp& l) { l.transition_to(Light::green); });
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("red: enter from red", "green: enter from red"));
}

TEST_F(OutsideHandlers, there_is_nothing_to_postpone) {
    auto const lamp = start();
    continue_in(lamp, [](Lamp& l) { l.postpone(); });
    cast(lamp, Do{[](Lamp& l) { l.say("handled"); }});
    cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::green); }});
    EXPECT_THAT(lines(), ElementsAre("red: handled", "green: enter from red"));
}

TEST_F(OutsideHandlers, a_continuation_is_no_event_and_leaves_an_event_timeout_alone) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             pause(1ms).then([&l](Result<> const& /*done*/) { l.set_timeout("other", 1h, Tick{"other"}); });
             l.set_event_timeout(1s, Tick{"event"});
         }});
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("red: timeout event"));
}

TEST_F(OutsideHandlers, a_machine_can_wait_in_its_init) {
    struct Slow : StateMachine<Slow, Light> {
        explicit Slow(Journal& book)
            : journal(&book) {}
        Async<> init() {
            start_in(Light::red);
            co_await pause(1s);
            transition_to(Light::green);
        }
        void on_enter(Light /*previous*/) { journal->add(name_of(state())); }
        Journal* journal;
    };
    EXPECT_TRUE(simulation.node().start<Slow>({}, std::ref(journal)));
    EXPECT_THAT(lines(), ElementsAre("red", "green"));
}

TEST_F(OutsideHandlers, init_fails_with_a_sentence_when_it_does_not_say_the_first_state) {
    struct Forgetful : StateMachine<Forgetful, Light> {
        void init() {}
        void on_cast(Tick const& /*tick*/) {}
    };
    struct WithoutInit : StateMachine<WithoutInit, Light> {
        void on_cast(Tick const& /*tick*/) {}
    };
    auto const forgetful = simulation.node().start<Forgetful>({});
    ASSERT_FALSE(forgetful);
    EXPECT_THAT(forgetful.error().message(), HasSubstr("init() must call start_in() with the first state"));
    EXPECT_THAT(forgetful.error().message(), HasSubstr("Forgetful"));
    auto const without = simulation.node().start<WithoutInit>({});
    ASSERT_FALSE(without);
    EXPECT_THAT(without.error().message(), HasSubstr("must call start_in()"));
}

TEST_F(OutsideHandlers, init_may_stop_or_ignore_instead_of_saying_the_first_state) {
    struct Stopping : StateMachine<Stopping, Light> {
        void init() { stop(ExitReason::error("no lamp here")); }
    };
    struct Ignoring : StateMachine<Ignoring, Light> {
        Result<Start> init() { return Start::ignore; }
    };
    EXPECT_THAT(simulation.node().start<Stopping>({}).error().message(), HasSubstr("no lamp here"));
    auto const ignored = simulation.node().start<Ignoring>({});
    ASSERT_TRUE(ignored);
    EXPECT_FALSE(*ignored);
}

} // namespace
} // namespace sinew::testing
