// State machines, against gen_statem's rules: order of events, timeouts, enter calls.
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

enum class Light { red, green, blue };
std::string name_of(Light light) {
    return light == Light::red ? "red" : light == Light::green ? "green" : "blue";
}

class Lamp;
/// Does what the test says in whatever state it is.
struct Do {
    std::function<void(Lamp&)> function;
    std::string name = {};
};
struct Ask {
    using Reply = std::string;
    std::function<std::string(Lamp&)> function;
};
struct AskLater {
    using Reply = std::string;
};
struct Tick {
    std::string name;
};
struct Inner {
    std::function<void(Lamp&)> function;
};

/// gen_statem's handle_event_function: the state is an enumeration.
class Lamp : public StateMachine<Lamp, Light> {
public:
    explicit Lamp(Journal& journal, std::function<void(Lamp&)> enters = {})
        : m_journal(&journal)
        , m_enters(std::move(enters)) {}
    void init() { start_in(Light::red); }
    void on_cast(Do const& message) { message.function(*this); }
    void on_info(Do const& message) { message.function(*this); }
    std::string on_call(Ask const& request) { return request.function(*this); }
    void on_call(AskLater const& /*request*/, Deferred<AskLater>& reply) {
        waiting.emplace(std::move(reply));
    }
    void on_timeout(Tick const& tick) { say("timeout " + tick.name); }
    void on_internal(Inner const& message) { message.function(*this); }
    void on_enter(Light previous) {
        say("enter from " + name_of(previous));
        if (m_enters) {
            m_enters(*this);
        }
    }
    void terminate(ExitReason const& reason) { say("terminate " + reason.to_string()); }
    void say(std::string const& text) { m_journal->add(name_of(state()) + ": " + text); }
    using StateMachine::cancel_event_timeout;
    using StateMachine::cancel_state_timeout;
    using StateMachine::cancel_timeout;
    using StateMachine::next_event;
    using StateMachine::postpone;
    using StateMachine::repeat_state;
    using StateMachine::set_event_timeout;
    using StateMachine::set_state_timeout;
    using StateMachine::set_timeout;
    using StateMachine::state;
    using StateMachine::stop;
    using StateMachine::transition_to;
    using StateMachine::update_state_timeout;
    using StateMachine::update_timeout;
    std::optional<Deferred<AskLater>> waiting;

private:
    Journal* m_journal;
    std::function<void(Lamp&)> m_enters;
};

class StateMachines : public ::testing::Test {
protected:
    ServerRef<Lamp> start(std::function<void(Lamp&)> enters = {}) {
        auto const lamp = simulation.node().start<Lamp>({}, std::ref(journal), std::move(enters)).value();
        simulation.run_until_settled();
        journal.clear();
        return lamp;
    }
    std::vector<std::string> lines() {
        simulation.run_until_settled();
        return journal.lines();
    }
    /// Casts one after the other, from one process, so that all wait in the mailbox.
    void cast_all(ServerRef<Lamp> lamp, std::vector<std::function<void(Lamp&)>> functions) {
        (void)spawn([lamp, functions = std::move(functions)] {
            for (auto const& function : functions) {
                cast(lamp, Do{function});
            }
        });
    }
    Simulation simulation;
    Journal journal;
};

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

TEST_F(StateMachines, an_event_timeout_is_cancelled_by_any_event) {
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

TEST_F(StateMachines, a_state_timeout_is_cancelled_by_a_change_of_state_only) {
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

TEST_F(StateMachines, a_state_timeout_set_with_the_change_is_the_new_states) {
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

TEST_F(StateMachines, named_timeouts_live_until_they_come_or_are_cancelled) {
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

TEST_F(StateMachines, updating_a_timeout_changes_its_message_and_not_its_time) {
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

TEST_F(StateMachines, updating_a_timeout_that_does_not_run_starts_one_of_zero) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) { l.update_timeout("n", Tick{"now"}); }});
    EXPECT_THAT(lines(), ElementsAre("red: timeout now"));
}

TEST_F(StateMachines, timeouts_of_zero_come_after_inserted_events_and_before_the_mailbox) {
    auto const lamp = start();
    cast_all(lamp, {[](Lamp& l) {
                        l.set_timeout("zero", 0s, Tick{"zero"});
                        l.next_event(Inner{[](Lamp& inner) { inner.say("inserted"); }});
                    },
                    [](Lamp& l) { l.say("mailbox"); }});
    EXPECT_THAT(lines(), ElementsAre("red: inserted", "red: timeout zero", "red: mailbox"));
}

TEST_F(StateMachines, a_timeout_of_zero_can_be_cancelled) {
    auto const lamp = start();
    cast(lamp, Do{[](Lamp& l) {
             l.set_state_timeout(0s, Tick{"state"});
             l.set_event_timeout(0s, Tick{"event"});
             l.next_event(Inner{[](Lamp& inner) { inner.transition_to(Light::green); }});
         }});
    EXPECT_THAT(lines(), ElementsAre("green: enter from red"));
}

TEST_F(StateMachines, a_cancelled_timeout_leaves_no_event) {
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
