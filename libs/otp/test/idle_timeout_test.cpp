// Idle timeouts of servers.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Sleepy : public Server<Sleepy> {
public:
    Sleepy(Journal& journal, Duration time, bool rearms = false)
        : m_journal(&journal)
        , m_time(time)
        , m_rearms(rearms) {}
    void init() { set_idle_timeout(m_time); }
    void handle_info(IdleTimeout /*message*/) { m_journal->add("idle"); }
    void handle_info(Note note) {
        m_journal->add(note.text);
        if (m_rearms) {
            set_idle_timeout(m_time);
        }
    }

private:
    Journal* m_journal;
    Duration m_time;
    bool m_rearms;
};

TEST(IdleTimeouts, come_when_no_message_came_for_their_time) {
    Simulation simulation;
    Journal journal;
    (void)simulation.node().start<Sleepy>({}, std::ref(journal), Duration(5s)).value();
    simulation.advance(5s - 1ns);
    EXPECT_THAT(journal.lines(), IsEmpty());
    simulation.advance(1ns);
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
    simulation.advance(60s);
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
}

TEST(IdleTimeouts, are_cancelled_by_any_message) {
    Simulation simulation;
    Journal journal;
    auto const server = simulation.node().start<Sleepy>({}, std::ref(journal), Duration(5s)).value();
    simulation.advance(4s);
    send(server, Note{"any"});
    simulation.advance(60s);
    EXPECT_THAT(journal.lines(), ElementsAre("any"));
}

TEST(IdleTimeouts, start_anew_with_each_handler_that_sets_one) {
    Simulation simulation;
    Journal journal;
    auto const server = simulation.node().start<Sleepy>({}, std::ref(journal), Duration(5s), true).value();
    for (int i = 0; i < 3; ++i) {
        simulation.advance(4s);
        send(server, Note{"again"});
    }
    simulation.advance(4s);
    EXPECT_THAT(journal.lines(), ElementsAre("again", "again", "again"));
    simulation.advance(1s);
    EXPECT_THAT(journal.lines(), ElementsAre("again", "again", "again", "idle"));
}

TEST(IdleTimeouts, of_zero_act_only_if_the_mailbox_is_empty) {
    Simulation simulation;
    Journal journal;
    (void)simulation.node().start<Sleepy>({}, std::ref(journal), Duration(0)).value();
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
    class Busy : public Server<Busy> {
    public:
        explicit Busy(Journal& journal)
            : m_journal(&journal) {}
        void init() {
            send(self(), Note{"waits"});
            set_idle_timeout(Duration(0));
        }
        void handle_info(IdleTimeout /*message*/) { m_journal->add("idle"); }
        void handle_info(Note note) { m_journal->add(note.text); }

    private:
        Journal* m_journal;
    };
    journal.clear();
    (void)simulation.node().start<Busy>({}, std::ref(journal)).value();
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("waits"));
}

TEST(IdleTimeouts, replace_the_one_set_before_in_the_same_handler) {
    class Twice : public Server<Twice> {
    public:
        explicit Twice(Journal& journal)
            : m_journal(&journal) {}
        void init() {
            set_idle_timeout(1s);
            set_idle_timeout(3s);
        }
        void handle_info(IdleTimeout /*message*/) { m_journal->add("idle"); }

    private:
        Journal* m_journal;
    };
    Simulation simulation;
    Journal journal;
    (void)simulation.node().start<Twice>({}, std::ref(journal)).value();
    simulation.advance(2s);
    EXPECT_THAT(journal.lines(), IsEmpty());
    simulation.advance(1s);
    EXPECT_THAT(journal.lines(), ElementsAre("idle"));
}

} // namespace
} // namespace sinew::testing
