// gen_statem's state functions: the state is a variant, and handlers say which alternative they are for.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <variant>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct Digit {
    char value = '0';
};
struct Close {};
struct WhichState {
    using Reply = std::string;
};
struct Locked {
    std::string entered = {};
};
struct Open {};

class CodeLock : public StateMachine<CodeLock, std::variant<Locked, Open>> {
public:
    explicit CodeLock(Journal& journal)
        : m_journal(&journal) {}
    void init() { start_in(Locked{}); }
    void on_enter(Locked& /*locked*/) { m_journal->add("locked"); }
    void on_enter(Open& /*open*/) {
        m_journal->add("open");
        set_state_timeout(10s, Close{});
    }
    void on_cast(Locked& locked, Digit const& digit) {
        locked.entered += digit.value;
        if (locked.entered.ends_with("1234")) {
            transition_to(Open{});
        }
    }
    void on_cast(Open& /*open*/, Digit const& /*digit*/) { postpone(); }
    void on_timeout(Open& /*open*/, Close const& /*close*/) { transition_to(Locked{}); }
    void on_info(Open& /*open*/, Note const& note) { m_journal->add(note.text); }
    void on_info(Exit const& exit) { m_journal->add("exit " + exit.reason.to_string()); }
    std::string on_call(Locked& locked, WhichState const& /*request*/) { return "locked " + locked.entered; }
    std::string on_call(WhichState const& /*request*/) { return "not locked"; }

private:
    Journal* m_journal;
};

class StatesAsTypes : public ::testing::Test {
protected:
    void enter(std::string const& digits) {
        for (char const digit : digits) {
            cast(lock, Digit{digit});
        }
        simulation.run_until_settled();
    }
    Simulation simulation;
    Journal journal;
    ServerRef<CodeLock> lock = simulation.node().start<CodeLock>({}, std::ref(journal)).value();
};

TEST_F(StatesAsTypes, have_handlers_and_data_of_their_own) {
    enter("12");
    EXPECT_EQ(call(lock, WhichState{}).value(), "locked 12");
    enter("34");
    EXPECT_EQ(call(lock, WhichState{}).value(), "not locked");
    EXPECT_THAT(journal.lines(), ElementsAre("locked", "open"));
}

TEST_F(StatesAsTypes, see_postponed_events_in_the_next_state) {
    enter("123499");
    EXPECT_EQ(call(lock, WhichState{}).value(), "not locked");
    simulation.advance(10s);
    EXPECT_EQ(call(lock, WhichState{}).value(), "locked 99");
}

TEST_F(StatesAsTypes, share_handlers_without_a_state) {
    send(lock, Exit{Pid(), ExitReason::normal()});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("locked", "exit normal"));
}

TEST_F(StatesAsTypes, end_with_a_clear_reason_on_an_event_they_have_no_handler_for) {
    send(lock, Note{"hello"});
    simulation.run_until_settled();
    EXPECT_FALSE(is_alive(lock));
    EXPECT_TRUE(simulation.has_logged("has no handler for"));
    EXPECT_TRUE(simulation.has_logged("Locked"));
}

TEST(StatesAsTypesMessages, wrong_messages_do_not_fit) {
    static_assert(HandlesCast<CodeLock, Digit>);
    static_assert(HandlesInfo<CodeLock, Note>);
    static_assert(HandlesCall<CodeLock, WhichState>);
    static_assert(!HandlesCast<CodeLock, Note>);
    static_assert(!HandlesInfo<CodeLock, Digit>);
    SUCCEED();
}

} // namespace
} // namespace sinew::testing
