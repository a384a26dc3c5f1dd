// Long mailboxes: warnings, limits, and senders that wait for room.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Mailboxes : public WorldTest {
protected:
    /// A probe whose mailbox takes three messages; filled while it is in a handler.
    ProbeRef start_limited(MailboxLimit::Overflow overflow) {
        return start("a", {.on_init = [overflow](Probe&) -> Result<Start> {
                         set_mailbox_limit({.length = 3, .overflow = overflow});
                         return Start::running;
                     }});
    }
    void send_five(ProbeRef probe) {
        in(probe, [](Probe& self) {
            for (char const* const text : {"1", "2", "3", "4", "5"}) {
                send(self.self(), Note{text});
            }
        });
    }
};
SINEW_IN_BOTH_WORLDS(Mailboxes);

TEST_P(Mailboxes, a_full_one_refuses_the_newest) {
    ProbeRef const a = start_limited(MailboxLimit::Overflow::reject_newest);
    send_five(a);
    EXPECT_THAT(lines(), ElementsAre("a: 1", "a: 2", "a: 3"));
    EXPECT_EQ(process_info(a)->messages_dropped, 2U);
}

TEST_P(Mailboxes, a_full_one_drops_the_oldest) {
    ProbeRef const a = start_limited(MailboxLimit::Overflow::drop_oldest);
    send_five(a);
    EXPECT_THAT(lines(), ElementsAre("a: 3", "a: 4", "a: 5"));
    EXPECT_EQ(process_info(a)->messages_dropped, 2U);
}

TEST_P(Mailboxes, a_full_one_keeps_what_the_process_sent_itself_for_later) {
    for (auto const overflow : {MailboxLimit::Overflow::reject_newest, MailboxLimit::Overflow::drop_oldest}) {
        ProbeRef const a = start_limited(overflow);
        in(a, [](Probe& self) {
            self.continue_with(Note{"continued"});
            self.send_after(Duration(0), Note{"timer"});
            for (int i = 0; i < 20; ++i) {
                send(self.self(), Note{"sent"});
            }
        });
        EXPECT_EQ(std::ranges::count(lines(), "a: continued"), 1);
        EXPECT_EQ(std::ranges::count(lines(), "a: timer"), 1);
        exit(a, ExitReason::kill());
        world.settle();
        journal.clear();
    }
}

struct Nap {};
struct Ask {
    using Reply = int;
};
/// Handles one message for an hour; one more may wait.
class Sleeper : public Server<Sleeper> {
public:
    void init() { set_mailbox_limit({.length = 1}); }
    Async<> handle_info(Nap /*message*/) {
        auto slept = co_await pause(1h);
        (void)slept;
    }
    int handle_call(Ask /*request*/) { return 1; }
};

TEST_P(Mailboxes, a_refused_call_is_answered_with_an_error) {
    auto const sleeper = world.node().start<Sleeper>().value();
    send(sleeper, Nap{});
    world.settle();
    send(sleeper, Nap{});
    world.settle();
    Result<int> const answer = call(sleeper, Ask{});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(answer.error().message(), HasSubstr("its mailbox is full"));
}

TEST_P(Mailboxes, exits_and_downs_are_never_refused) {
    ProbeRef const a = start_limited(MailboxLimit::Overflow::reject_newest);
    ProbeRef const b = start("b");
    in(a, [b](Probe& self) {
        monitor(b);
        for (int i = 0; i < 3; ++i) {
            send(self.self(), Note{"x"});
        }
    });
    exit(b, ExitReason::kill());
    EXPECT_THAT(lines(), ::testing::Contains("a: DOWN b killed"));
}

TEST(MailboxWarnings, a_long_one_is_warned_of_each_time_it_doubles) {
    Simulation sim;
    struct Burst {};
    class Busy : public Server<Busy> {
    public:
        void init() { set_mailbox_limit({.warn_from = 4}); }
        void handle_cast(Burst /*message*/) {
            for (int i = 0; i < 9; ++i) {
                send(self(), Nap{});
            }
        }
        void handle_info(Nap /*message*/) {}
    };
    auto const busy = sim.node().start<Busy>().value();
    cast(busy, Burst{});
    sim.run_until_settled();
    int warnings = 0;
    for (std::string const& line : sim.log_lines()) {
        warnings += line.find("messages wait in its mailbox; the newest is") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(warnings, 2) << "at four and at eight";
}

/// Counts what it handles; holds still when told to.
struct Item {};
struct Hold {};
class Consumer : public Server<Consumer> {
public:
    explicit Consumer(std::uint32_t length)
        : m_length(length) {}
    void init() { set_mailbox_limit({.length = m_length, .overflow = MailboxLimit::Overflow::block_sender}); }
    Async<> handle_cast(Hold /*message*/) {
        auto const released = co_await receive<Nap>();
        (void)released;
    }
    void handle_info(Nap /*message*/) {}
    void handle_info(Item /*message*/) { ++m_handled; }
    int handle_call(Ask /*request*/) { return m_handled; }

private:
    std::uint32_t m_length;
    int m_handled = 0;
};
/// Sends one item a handler, for ever.
struct Produce {};
class Producer : public Server<Producer> {
public:
    explicit Producer(ServerRef<Consumer> consumer)
        : m_consumer(consumer) {}
    void init() { continue_with(Produce{}); }
    void handle_info(Produce /*message*/) {
        if (m_sent < most) {
            ++m_sent;
            send(m_consumer, Item{});
            send(self(), Produce{});
        }
    }
    int handle_call(Ask /*request*/) const { return m_sent; }
    static constexpr int most = 100;

private:
    ServerRef<Consumer> m_consumer;
    int m_sent = 0;
};

class FullMailboxes : public WorldTest {
protected:
    ServerRef<Consumer> consumer(std::uint32_t length) {
        return world.node().start<Consumer>({}, length).value();
    }
    ServerRef<Consumer> holding_consumer(std::uint32_t length) {
        auto const made = consumer(length);
        cast(made, Hold{});
        world.settle();
        return made;
    }
    ServerRef<Producer> producer(ServerRef<Consumer> to) {
        auto const made = world.node().start<Producer>({}, to).value();
        world.settle();
        return made;
    }
    [[nodiscard]] ProcessState state_of(Pid pid) {
        world.settle();
        return process_info(pid)->state;
    }
};
SINEW_IN_BOTH_WORLDS(FullMailboxes);

TEST_P(FullMailboxes, block_who_sends_to_them) {
    auto const slow = holding_consumer(4);
    auto const fast = producer(slow);
    EXPECT_EQ(state_of(fast), ProcessState::blocked);
    EXPECT_EQ(process_info(slow)->mailbox_length, 4U);
    EXPECT_EQ(process_info(slow)->messages_dropped, 0U);
}

TEST_P(FullMailboxes, let_senders_go_on_when_there_is_room_and_lose_nothing) {
    auto const slow = holding_consumer(4);
    auto const fast = producer(slow);
    send(slow, Nap{});
    world.settle();
    EXPECT_EQ(call(slow, Ask{}), Producer::most);
    EXPECT_EQ(call(fast, Ask{}), Producer::most);
    EXPECT_EQ(state_of(fast), ProcessState::waiting);
}

TEST_P(FullMailboxes, block_each_of_many_senders_once) {
    auto const slow = holding_consumer(8);
    std::vector<ServerRef<Producer>> producers;
    for (int i = 0; i < 10; ++i) {
        producers.push_back(producer(slow));
    }
    EXPECT_LE(process_info(slow)->mailbox_length, 8U + 10U);
    for (auto const& each : producers) {
        EXPECT_EQ(state_of(each), ProcessState::blocked);
    }
    send(slow, Nap{});
    world.settle();
    EXPECT_EQ(call(slow, Ask{}), 10 * Producer::most);
}

TEST_P(FullMailboxes, of_no_limit_block_nobody) {
    auto const to = holding_consumer(0);
    auto const from = producer(to);
    EXPECT_EQ(call(from, Ask{}).value(), Producer::most);
}

TEST_P(FullMailboxes, of_an_ended_process_block_nobody) {
    auto const slow = holding_consumer(4);
    auto const fast = producer(slow);
    EXPECT_EQ(state_of(fast), ProcessState::blocked);
    exit(slow, ExitReason::kill());
    world.settle();
    EXPECT_EQ(call(fast, Ask{}), Producer::most);
}

TEST_P(FullMailboxes, leave_a_blocked_process_open_to_exits_and_stops) {
    auto const slow = holding_consumer(4);
    auto const stopped = producer(slow);
    auto const killed = producer(slow);
    EXPECT_EQ(state_of(killed), ProcessState::blocked);
    EXPECT_TRUE(stop_and_wait(stopped));
    exit(killed, ExitReason::kill());
    world.settle();
    EXPECT_FALSE(is_alive(stopped));
    EXPECT_FALSE(is_alive(killed));
}

TEST_P(FullMailboxes, leave_a_blocked_process_open_to_introspection) {
    auto const slow = holding_consumer(4);
    auto const fast = producer(slow);
    EXPECT_TRUE(call(system_of(fast), Suspend{}));
    EXPECT_TRUE(call(system_of(fast), Resume{}));
    EXPECT_EQ(state_of(fast), ProcessState::blocked);
    EXPECT_TRUE(call(system_of(fast), Suspend{}));
    send(slow, Nap{});
    world.settle();
    EXPECT_LT(call(slow, Ask{}).value(), Producer::most);
    EXPECT_TRUE(call(system_of(fast), Resume{}));
    world.settle();
    EXPECT_EQ(call(slow, Ask{}), Producer::most);
}

TEST_P(FullMailboxes, hold_the_answer_of_a_blocked_process_back) {
    auto const slow = holding_consumer(1);
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    in(a, [slow, b](Probe& self) {
        send(slow, Item{});
        send(slow, Item{});
        request(b, RunInside{[](Probe&) {}}).then([&self](Result<> const&) { self.say("answered"); });
    });
    EXPECT_THAT(lines(), IsEmpty());
    send(slow, Nap{});
    EXPECT_THAT(lines(), ElementsAre("a: answered"));
}

TEST_P(FullMailboxes, do_not_block_a_process_that_sends_to_itself) {
    class Own : public Server<Own> {
    public:
        void init() {
            set_mailbox_limit({.length = 2, .overflow = MailboxLimit::Overflow::block_sender});
            for (int i = 0; i < 5; ++i) {
                send(self(), Item{});
            }
        }
        void handle_info(Item /*message*/) { ++m_handled; }
        int handle_call(Ask /*request*/) const { return m_handled; }

    private:
        int m_handled = 0;
    };
    auto const own = world.node().start<Own>().value();
    world.settle();
    EXPECT_EQ(call(own, Ask{}), 5);
}

TEST_P(FullMailboxes, do_not_block_who_answers_them) {
    class Asking : public Server<Asking> {
    public:
        explicit Asking(ProbeRef whom)
            : m_whom(whom) {}
        void init() { set_mailbox_limit({.length = 1, .overflow = MailboxLimit::Overflow::block_sender}); }
        Async<> handle_cast(Hold /*message*/) {
            send(self(), Item{});
            send(self(), Item{});
            for (int i = 0; i < 3; ++i) {
                auto asked = request(m_whom, RunInside{[](Probe&) {}});
                auto const done = co_await asked;
                m_answers += done ? 1 : 0;
            }
        }
        void handle_info(Item /*message*/) {}
        int handle_call(Ask /*request*/) const { return m_answers; }

    private:
        ProbeRef m_whom;
        int m_answers = 0;
    };
    auto const asking = world.node().start<Asking>({}, start("b")).value();
    cast(asking, Hold{});
    world.settle();
    EXPECT_EQ(call(asking, Ask{}), 3);
}

} // namespace
} // namespace sinew::testing
