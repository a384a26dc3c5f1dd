/// A state machine whose handlers do what a test says, in a simulation.
///
/// Threading: the test's thread.
#pragma once

#include "world.hpp"

#include <sinew/otp.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {

enum class Light { red, green, blue };
inline std::string name_of(Light light) {
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
    explicit Lamp(Journal& journal, std::function<void(Lamp&)> enters = {},
                  std::function<void(Lamp&)> starts = {})
        : m_journal(&journal)
        , m_enters(std::move(enters))
        , m_starts(std::move(starts)) {}
    void init() {
        start_in(Light::red);
        if (m_starts) {
            m_starts(*this);
        }
    }
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
    std::function<void(Lamp&)> m_starts;
};

class StateMachineTest : public ::testing::Test {
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

} // namespace sinew::testing
