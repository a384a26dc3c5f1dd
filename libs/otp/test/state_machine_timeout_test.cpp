// Timeouts of state machines, against gen_statem's rules.
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

using StateMachineTimeouts = StateMachineTest;

TEST_F(StateMachineTimeouts, an_event_timeout_is_cancelled_by_any_event) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) { l.set_event_timeout(1s, Tick{"idle"}); }});
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("red: timeout idle"));
    cast(lamp, Do{[](Lamp& l) { l.set_event_timeout(1s, Tick{"idle"}); }});
    simulation.advance(500ms);
    cast(lamp, Do{[](Lamp&) {}});
    simulation.advance(10s);
    EXPECT_THAT(lines(), ElementsAre("red: timeout idle"));
}

TEST_F(StateMachineTimeouts, a_state_timeout_is_cancelled_by_a_change_of_state_only) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) { l.set_state_timeout(1s, Tick{"red"}); }});
    simulation.advance(500ms);
    cast(lamp, Do{[](Lamp&) {}});
    simulation.advance(500ms);
    EXPECT_THAT(lines(), ElementsAre("red: timeout red"));
    cast(lamp, Do{[](Lamp& l) { l.set_state_timeout(1s, Tick{"red"}); }});
    cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::green); }});
    simulation.advance(10s);
    EXPECT_THAT(lines(), ElementsAre("red: timeout red", "green: enter from red"));
}

TEST_F(StateMachineTimeouts, a_state_timeout_set_with_the_change_is_the_new_states) {
    auto const lamp = start([](Lamp& l) {
        if (l.state() == Light::blue) {
            l.set_state_timeout(2s, Tick{"from enter"});
        }
    });
    cast(lamp, Do{[](Lamp& l) {
             l.transition_to(Light::green);
             l.set_state_timeout(1s, Tick{"new"});
         }});
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: timeout new"));
    cast(lamp, Do{[](Lamp& l) { l.transition_to(Light::blue); }});
    simulation.advance(2s);
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: timeout new", "blue: enter from green",
                                     "blue: timeout from enter"));
}

TEST_F(StateMachineTimeouts, named_timeouts_live_until_they_come_or_are_cancelled) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.set_timeout("a", 1s, Tick{"a"});
             l.set_timeout("b", 1s, Tick{"b"});
             l.set_timeout("c", 1s, Tick{"old c"});
             l.set_timeout("c", 2s, Tick{"c"});
             l.transition_to(Light::green);
         }});
    cast(lamp, Do{[](Lamp& l) { l.cancel_timeout("b"); }});
    simulation.advance(3s);
    EXPECT_THAT(lines(), ElementsAre("green: enter from red", "green: timeout a", "green: timeout c"));
}

TEST_F(StateMachineTimeouts, updating_a_timeout_changes_its_message_and_not_its_time) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.set_state_timeout(2s, Tick{"old"});
             l.set_timeout("n", 2s, Tick{"old"});
         }});
    simulation.advance(1s);
    cast(lamp, Do{[](Lamp& l) {
             l.update_state_timeout(Tick{"state"});
             l.update_timeout("n", Tick{"named"});
         }});
    simulation.advance(1s);
    EXPECT_THAT(lines(), ElementsAre("red: timeout state", "red: timeout named"));
}

TEST_F(StateMachineTimeouts, updating_a_timeout_that_does_not_run_starts_one_of_zero) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) { l.update_timeout("n", Tick{"now"}); }});
    EXPECT_THAT(lines(), ElementsAre("red: timeout now"));
}

TEST_F(StateMachineTimeouts, timeouts_of_zero_come_after_inserted_events_and_before_the_mailbox) {
    auto const lamp = start();
    cast_all(lamp, {[](Lamp& l) {
                        l.set_timeout("zero", 0s, Tick{"zero"});
                        l.next_event(Inner{[](Lamp& inner) { inner.say("inserted"); }});
                    },
                    [](Lamp& l) { l.say("mailbox"); }});
    EXPECT_THAT(lines(), ElementsAre("red: inserted", "red: timeout zero", "red: mailbox"));
}

TEST_F(StateMachineTimeouts, a_timeout_of_zero_can_be_cancelled) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.set_state_timeout(0s, Tick{"state"});
             l.set_event_timeout(0s, Tick{"event"});
             l.next_event(Inner{[](Lamp& inner) { inner.transition_to(Light::green); }});
         }});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red"));
}

TEST_F(StateMachineTimeouts, a_cancelled_timeout_leaves_no_event) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.set_state_timeout(1s, Tick{"state"});
             l.set_timeout("n", 1s, Tick{"named"});
         }});
    simulation.advance(500ms);
    cast(lamp, Do{[](Lamp& l) {
             l.cancel_state_timeout();
             l.cancel_timeout("n");
         }});
    simulation.advance(10s);
    EXPECT_THAT(lines(), IsEmpty());
}

} // namespace
} // namespace sinew::testing
