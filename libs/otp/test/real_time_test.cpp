// The real-time worker: who runs there, in which order, and with which scheduling.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Inside {
    using Reply = std::string;
    std::function<std::string()> function;
};
/// On the real-time worker, unless told otherwise.
class Quick : public Server<Quick> {
public:
    explicit Quick(bool is_quick = true)
        : m_is_quick(is_quick) {}
    Result<> init() { return m_is_quick ? set_real_time() : Result<>(); }
    std::string handle_call(Inside const& inside) { return inside.function(); }

private:
    bool m_is_quick;
};

class RealTime : public ::testing::Test {
protected:
    static constexpr unsigned ordinary = 2;
    LineSink sink;
    Node node{NodeOptions{.workers = ordinary, .log = &sink, .real_time = {.priority = 1}}};

    ServerRef<Quick> quick() { return node.start<Quick>().value(); }
    static std::string inside(ServerRef<Quick> who, std::function<std::string()> function) {
        return call(who, Inside{std::move(function)}).value();
    }
    static std::string own_worker() { return std::to_string(process_info(self())->worker); }
};

TEST_F(RealTime, a_process_that_asks_runs_on_the_worker_of_its_own) {
    EXPECT_EQ(node.worker_count(), ordinary);
    EXPECT_EQ(inside(quick(), &own_worker), "2");
}

TEST_F(RealTime, others_do_not) {
    for (int i = 0; i < 8; ++i) {
        auto const other = node.start<Quick>({}, false).value();
        EXPECT_NE(inside(other, &own_worker), "2");
    }
}

TEST_F(RealTime, what_it_spawns_does_not_unless_it_asks_too) {
    auto const parent = quick();
    ServerRef<Quick> ordinary_child;
    ServerRef<Quick> quick_child;
    inside(parent, [&] {
        ordinary_child = spawn_link<Quick>(false);
        quick_child = spawn_link<Quick>(true);
        return own_worker();
    });
    EXPECT_NE(inside(ordinary_child, &own_worker), "2");
    EXPECT_EQ(inside(quick_child, &own_worker), "2");
}

TEST_F(RealTime, its_thread_goes_before_ordinary_ones_or_a_warning_says_why_not) {
    sched_param const parameter{.sched_priority = 1};
    bool is_allowed = false;
    std::thread([&] { is_allowed = sched_setscheduler(0, SCHED_FIFO, &parameter) == 0; }).join();
    std::string const policy = inside(quick(), [] { return std::to_string(sched_getscheduler(0)); });
    EXPECT_EQ(policy, std::to_string(is_allowed ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER));
    if (!is_allowed) {
        EXPECT_THAT(sink.text(), HasSubstr("the real-time worker runs as an ordinary thread"));
    }
    auto const other = node.start<Quick>({}, false).value();
    EXPECT_EQ(inside(other, [] { return std::to_string(sched_getscheduler(0)); }),
              std::to_string(SCHED_OTHER));
}

struct Number {
    int value = 0;
};
/// Answers when a hundred numbers have come: whether they came in order.
struct InOrder {
    using Reply = bool;
};
class Collector : public Server<Collector> {
public:
    void handle_info(Number number) {
        m_is_in_order = m_is_in_order && number.value == ++m_count;
        answer_if_complete();
    }
    void handle_call(InOrder /*request*/, Deferred<InOrder> reply) {
        m_reply.emplace(std::move(reply));
        answer_if_complete();
    }

private:
    void answer_if_complete() {
        if (m_count == 100 && m_reply) {
            m_reply->reply(m_is_in_order);
        }
    }
    int m_count = 0;
    bool m_is_in_order = true;
    std::optional<Deferred<InOrder>> m_reply;
};

TEST_F(RealTime, messages_keep_their_order_through_the_move) {
    class Mover : public Server<Mover> {
    public:
        explicit Mover(ServerRef<Collector> to)
            : m_to(to) {}
        void init() {
            send(m_to, Number{1});
            (void)set_real_time();
            send(m_to, Number{2});
            continue_with(Number{3});
        }
        void handle_info(Number number) {
            send(m_to, number);
            if (number.value < 100) {
                send(self(), Number{number.value + 1});
            }
        }

    private:
        ServerRef<Collector> m_to;
    };
    for (int round = 0; round < 20; ++round) {
        auto const to = node.start<Collector>().value();
        (void)node.start<Mover>({}, to).value();
        EXPECT_EQ(call(to, InOrder{}), true);
    }
}

TEST_F(RealTime, timers_set_before_the_move_fire_after_it) {
    struct Tick {};
    class Ticking : public Server<Ticking> {
    public:
        explicit Ticking(std::atomic<int>& ticks)
            : m_ticks(&ticks) {}
        Result<> init() {
            send_after(1ms, Tick{});
            return set_real_time();
        }
        void handle_info(Tick /*tick*/) {
            m_ticks->fetch_add(1);
            send_after(1ms, Tick{});
        }

    private:
        std::atomic<int>* m_ticks;
    };
    std::atomic<int> ticks{0};
    auto const ticking = node.start<Ticking>({}, std::ref(ticks)).value();
    while (ticks.load() < 5) {
        std::this_thread::yield();
    }
    EXPECT_EQ(process_info(ticking)->worker, 2U);
    EXPECT_TRUE(stop_and_wait(ticking));
}

TEST_F(RealTime, a_stuck_handler_there_is_displaced_too) {
    auto const stuck = quick();
    auto const other = quick();
    std::atomic<bool> may_go{false};
    std::thread asking([&] {
        NodeScope const scope(node);
        inside(stuck, [&] {
            while (!may_go.load()) {
            }
            return own_worker();
        });
    });
    EXPECT_EQ(inside(other, &own_worker), "2");
    may_go.store(true);
    asking.join();
    EXPECT_EQ(inside(stuck, &own_worker), "2");
}

TEST_F(RealTime, comes_before_watching_descriptors) {
    int const event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto const late = node.start<Quick>({}, false).value();
    EXPECT_THAT(inside(late,
                       [event] {
                           auto const watch = FileWatch::create(event);
                           return set_real_time().error().message();
                       }),
                HasSubstr("comes before the first FileWatch"));
    EXPECT_NE(inside(late, &own_worker), "2");
    close(event);
}

TEST(WithoutRealTime, asking_for_it_is_an_error_that_names_the_remedy) {
    Node node{NodeOptions{.workers = 1}};
    auto const started = node.start<Quick>();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("set NodeOptions::real_time"));
}

TEST(WithoutRealTime, a_simulation_takes_it_and_changes_nothing) {
    Simulation simulation;
    auto const quick = simulation.node().start<Quick>();
    ASSERT_TRUE(quick) << quick.error().message();
    EXPECT_EQ(process_info(*quick)->worker, 0U);
}

} // namespace
} // namespace sinew::testing
