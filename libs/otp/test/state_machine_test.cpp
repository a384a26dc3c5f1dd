// State machines, against gen_statem's rules: order of events, enter calls.
#include "state_machine_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using StateMachines = StateMachineTest;

TEST_F(StateMachines, enter_their_first_state_at_the_start) {
    (void)simulation.node().start<Lamp>({}, std::ref(journal)).value();
    EXPECT_THAT(lines(), ElementsAre("red: enter from red"));
}

TEST_F(StateMachines, enter_a_state_when_it_changes_and_not_when_it_stays) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::green); }});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red"));
    cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::green); }});
    cast(lamp, Do{[](Lamp&) {}});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red"));
}

TEST_F(StateMachines, repeat_their_state_by_entering_it_again) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.set_state_timeout(1s, Tick{"kept"});
             l.repeat_state();
         }});
    EXPECT_THAT(lines(), ElementsAre("red: enter from red"));
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("red: enter from red", "red: timeout kept"));
}

TEST_F(StateMachines, the_state_changes_after_the_handler) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.transition_to(Light::green);
             l.say("still");
         }});
    EXPECT_THAT(lines(), ElementsAre("red: still", "green: enter from red"));
}

TEST_F(StateMachines, postponed_events_come_back_in_order_after_a_change_of_state_only) {
    auto const lamp = start();
    auto const wait_for_green = [](std::string const& name) {
        return [name](Lamp& l) { l.state() == Light::green ? l.say(name) : l.postpone(); };
    };
    cast_all(lamp, {wait_for_green("first"), wait_for_green("second"), [](Lamp& l) { l.say("other"); },
                    [](Lamp& l) { l.transition_to(Light::green); }, [](Lamp& l) { l.say("later"); }});
    EXPECT_THAT(lines(), ElementsAre("red: other", "green: enter from red", "green: first", "green: second",
                                     "green: later"));
}

TEST_F(StateMachines, an_event_can_be_postponed_again_and_again) {
    auto const lamp = start();
    auto const wait_for_blue = [](Lamp& l) { l.state() == Light::blue ? l.say("now") : l.postpone(); };
    cast_all(lamp, {wait_for_blue, [](Lamp& l) { l.transition_to(Light::green); },
                    [](Lamp& l) { l.transition_to(Light::blue); }});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "blue: enter from green", "blue: now"));
}

TEST_F(StateMachines, a_call_can_be_postponed_and_is_answered_later) {
    auto const lamp = start();
    auto const asker =
        simulation.node().start<Probe>({}, Probe::Options{.name = "asker", .journal = &journal}).value();
    (void)call(asker, RunInside{[lamp](Probe& probe) {
                   request(lamp, Ask{[](Lamp& l) -> std::string {
                               if (l.state() == Light::red) {
                                   l.postpone();
                                   return "too early";
                               }
                               return "answer";
                           }})
                       .then([&probe](Result<std::string> answer) { probe.say(*answer); });
               }});
    EXPECT_THAT(lines(), IsEmpty());
    cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::green); }});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "asker: answer"));
}

TEST_F(StateMachines, a_call_can_be_answered_by_another_event) {
    auto const lamp = start();
    auto const asker =
        simulation.node().start<Probe>({}, Probe::Options{.name = "asker", .journal = &journal}).value();
    (void)call(
        asker, RunInside{[lamp](Probe& probe) {
            request(lamp, AskLater{}).then([&probe](Result<std::string> answer) { probe.say(*answer); });
        }});
    simulation.run_until_settled();
    cast(lamp, Do{[](Lamp& l) { l.waiting->reply("at last"); }});
    EXPECT_THAT(lines(), ElementsAre("asker: at last"));
}

TEST_F(StateMachines, inserted_events_come_before_all_others_in_their_order) {
    auto const lamp = start();
    auto const say = [](std::string const& text) { return Inner{[text](Lamp& l) { l.say(text); }}; };
    cast_all(lamp, {[say](Lamp& l) {
                        l.next_event(say("one"));
                        l.next_event(say("two"));
                    },
                    [](Lamp& l) { l.say("mailbox"); }});
    EXPECT_THAT(lines(), ElementsAre("red: one", "red: two", "red: mailbox"));
}

TEST_F(StateMachines, inserted_events_come_before_postponed_ones) {
    auto const lamp = start();
    cast_all(lamp, {[](Lamp& l) { l.state() == Light::red ? l.postpone() : l.say("postponed"); },
                    [](Lamp& l) {
                        l.transition_to(Light::green);
                        l.next_event(Inner{[](Lamp& inner) { inner.say("inserted"); }});
                    },
                    [](Lamp& l) { l.say("mailbox"); }});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: inserted", "green: postponed",
                                     "green: mailbox"));
}

TEST_F(StateMachines, an_event_inserted_by_an_inserted_event_comes_next) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.next_event(Inner{[](Lamp& inner) {
                 inner.say("one");
                 inner.next_event(Inner{[](Lamp& innermost) { innermost.say("one and a half"); }});
             }});
             l.next_event(Inner{[](Lamp& inner) { inner.say("two"); }});
         }});
    EXPECT_THAT(lines(), ElementsAre("red: one", "red: one and a half", "red: two"));
}

TEST_F(StateMachines, may_not_postpone_insert_or_change_the_state_on_entering) {
    using Forbidden = std::function<void(Lamp&)>;
    for (Forbidden const& forbidden :
         {Forbidden([](Lamp& l) { l.postpone(); }), Forbidden([](Lamp& l) { l.transition_to(Light::blue); }),
          Forbidden([](Lamp& l) { l.next_event(Inner{}); })}) {
        auto const lamp = start([forbidden](Lamp& l) {
            if (l.state() == Light::green) {
                forbidden(l);
            }
        });
        cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::green); }});
        EXPECT_THAT(lines(), ElementsAre("green: enter from red", HasSubstr("is not for on_enter()")));
        EXPECT_FALSE(is_alive(lamp));
    }
}

TEST_F(StateMachines, that_stop_with_an_answer_terminate_first) {
    auto const lamp = start();
    EXPECT_EQ(call(lamp, Ask{[](Lamp& l) -> std::string {
                       l.stop(ExitReason::shutdown());
                       return "bye";
                   }})
                  .value(),
              "bye");
    EXPECT_THAT(lines(), ElementsAre("red: terminate shutdown"));
}

TEST_F(StateMachines, that_crash_answer_their_postponed_calls_with_the_reason) {
    auto const lamp = start();
    auto const asker =
        simulation.node().start<Probe>({}, Probe::Options{.name = "asker", .journal = &journal}).value();
    (void)call(asker, RunInside{[lamp](Probe& probe) {
                   request(lamp, Ask{[](Lamp& l) -> std::string {
                               l.postpone();
                               return {};
                           }})
                       .then([&probe](Result<std::string> answer) { probe.say(answer.error().message()); });
               }});
    simulation.run_until_settled();
    cast(lamp, Do{[](Lamp&) { throw std::runtime_error("boom"); }});
    EXPECT_THAT(lines(), ElementsAre("red: terminate std::runtime_error: boom", HasSubstr("boom")));
}

TEST(StateMachineTypes, wrong_messages_do_not_fit) {
    static_assert(HandlesCall<Lamp, AskLater>);
    static_assert(!HandlesCast<Lamp, Note>);
    SUCCEED();
}

} // namespace
} // namespace sinew::testing
