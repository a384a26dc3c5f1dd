/// Talk: a conversation that runs a test's script and tells a journal what it hears.
///
/// Threading: as any process.
#pragma once

#include "world.hpp"

#include <sinew/otp.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace sinew::testing {

struct Number {
    int value = 0;
};
struct Word {
    std::string text;
};
/// Larger than an envelope's inside.
struct Page {
    std::string first;
    std::string second;
};
struct Question {
    using Reply = std::string;
    int number = 0;
};
struct Increment {
    using Reply = void;
};

class Talk;
using Script = std::function<Async<>(Talk&)>;
/// Runs a script, and says what happens to it.
class Talk : public Conversation<Talk, Number, Word, Page, Asked<Question>, Asked<Increment>> {
public:
    struct Options {
        Journal* journal = nullptr;
        Script script = {};
        bool traps_exit = false;
    };
    explicit Talk(Options options)
        : m_options(std::move(options)) {}
    void init() { set_trap_exit(m_options.traps_exit); }
    Async<> run() {
        Async<> running = m_options.script(*this);
        co_await running;
    }
    void terminate(ExitReason const& reason) const { say("terminate " + reason.to_string()); }
    void say(std::string text) const { m_options.journal->add(std::move(text)); }
    using Conversation::receive;
    using Conversation::send_after;
    using Conversation::stop;

private:
    Options m_options;
};
using TalkRef = ServerRef<Talk>;

inline std::string text_of(std::optional<Number> const& number) {
    return number ? std::to_string(number->value) : "nothing";
}
inline std::string text_of(std::optional<Word> const& word) {
    return word ? word->text : "nothing";
}

} // namespace sinew::testing
