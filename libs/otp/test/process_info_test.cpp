// Looks at processes from outside.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ProcessInfos : public WorldTest {};
SINEW_IN_BOTH_WORLDS(ProcessInfos);

TEST_P(ProcessInfos, a_waiting_process_shows_its_class_and_what_it_has_handled) {
    ProbeRef const a = start("a");
    send(a, Note{"1"});
    send(a, Note{"2"});
    world.settle();
    std::optional<ProcessInfo> const info = process_info(a);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->pid, a.pid());
    EXPECT_EQ(info->state, ProcessState::waiting);
    EXPECT_EQ(*info->type, typeid(Probe));
    EXPECT_THAT(info->type_name(), HasSubstr("Probe"));
    EXPECT_EQ(info->messages_handled, 2U);
    EXPECT_EQ(info->mailbox_length, 0U);
    EXPECT_EQ(info->handling, nullptr);
    EXPECT_GE(info->memory_bytes, sizeof(Probe));
    EXPECT_FALSE(info->is_supervisor);
}

TEST_P(ProcessInfos, a_running_process_shows_its_message_and_the_mailbox_behind_it) {
    ProbeRef const a = start("a");
    in(a, [](Probe& probe) {
        send(probe.self(), Note{"1"});
        send(probe.self(), Note{"2"});
        ProcessInfo const info = process_info(probe.self()).value();
        EXPECT_EQ(info.state, ProcessState::running);
        ASSERT_NE(info.handling, nullptr);
        EXPECT_EQ(*info.handling, typeid(RunInside));
        EXPECT_EQ(info.mailbox_length, 2U);
    });
}

TEST_P(ProcessInfos, a_process_that_waits_for_an_answer_shows_it) {
    struct Nap {};
    class Sleeper : public Server<Sleeper> {
    public:
        Async<> handle_info(Nap /*message*/) {
            auto done = co_await pause(1h);
            (void)done;
        }
    };
    auto const sleeper = world.node().start<Sleeper>().value();
    send(sleeper, Nap{});
    send(sleeper, Nap{});
    world.settle();
    EXPECT_EQ(process_info(sleeper)->state, ProcessState::awaiting);
    EXPECT_EQ(process_info(sleeper)->mailbox_length, 1U);
}

TEST_P(ProcessInfos, an_ended_process_shows_nothing) {
    ProbeRef const a = start("a");
    exit(a, ExitReason::kill());
    world.settle();
    EXPECT_FALSE(process_info(a));
}

TEST_P(ProcessInfos, all_processes_are_listed) {
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    EXPECT_THAT(processes(), ::testing::UnorderedElementsAre(a.pid(), b.pid()));
}

TEST_P(ProcessInfos, one_that_ended_is_not_counted_when_others_hear_of_it) {
    ProbeRef const victim = start("victim");
    std::atomic<std::size_t> count = 0;
    class Counter : public Server<Counter> {
    public:
        Counter(Pid pid, std::atomic<std::size_t>& count)
            : m_pid(pid)
            , m_count(&count) {}
        void init() { monitor(m_pid); }
        void handle_info(Down /*message*/) { *m_count = current_node().process_count(); }

    private:
        Pid m_pid;
        std::atomic<std::size_t>* m_count;
    };
    (void)world.node().start<Counter>({}, victim.pid(), std::ref(count)).value();
    exit(victim, ExitReason::kill());
    world.settle();
    EXPECT_EQ(count, 1U);
}

TEST(ProcessInfo, a_handler_that_is_stuck_is_seen_from_outside) {
    struct Hang {};
    class Stuck : public Server<Stuck> {
    public:
        Stuck(std::atomic<bool>& is_in, std::atomic<bool>& may_go)
            : m_is_in(&is_in)
            , m_may_go(&may_go) {}
        void handle_info(Hang /*message*/) {
            *m_is_in = true;
            m_is_in->notify_all();
            while (!*m_may_go) {
                std::this_thread::yield();
            }
        }

    private:
        std::atomic<bool>* m_is_in;
        std::atomic<bool>* m_may_go;
    };
    std::atomic<bool> is_in = false;
    std::atomic<bool> may_go = false;
    Node node({.workers = 2});
    auto const stuck = node.start<Stuck>({}, std::ref(is_in), std::ref(may_go)).value();
    send(stuck, Hang{});
    is_in.wait(false);
    std::optional<ProcessInfo> const info = process_info(stuck);
    may_go = true;
    may_go.notify_all();
    ASSERT_TRUE(info);
    EXPECT_EQ(info->state, ProcessState::running);
    EXPECT_EQ(*info->handling, typeid(Hang));
}

TEST(ProcessInfo, time_running_counts_while_it_is_asked_for) {
    struct Spin {
        using Reply = void;
    };
    class Spinner : public Server<Spinner> {
    public:
        void handle_call(Spin /*request*/) {
            auto const until = std::chrono::steady_clock::now() + 2ms;
            while (std::chrono::steady_clock::now() < until) {
            }
        }
    };
    Node node({.workers = 1});
    auto const spinner = node.start<Spinner>().value();
    ASSERT_TRUE(call(spinner, Spin{}));
    EXPECT_EQ(process_info(spinner)->time_running, 0ns);
    node.account_time(Node::Accounting::on);
    ASSERT_TRUE(call(spinner, Spin{}));
    // The time is added when a turn is over, a moment after the answer.
    for (int i = 0; i < 1000 && process_info(spinner)->time_running == 0ns; ++i) {
        ASSERT_TRUE(call(spinner, Spin{}));
    }
    EXPECT_GE(process_info(spinner)->time_running, 2ms);
}

} // namespace
} // namespace sinew::testing
