// Handlers that run too long: others go on, the handler's effects arrive, its process lives on.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

struct Hang {};
struct Ping {
    using Reply = int;
};
struct Never {
    using Reply = int;
};
class Answerer : public Server<Answerer> {
public:
    int handle_call(Ping /*request*/) { return 1; }
};

/// Spins, or blocks, until it may go on; then it does `afterwards`.
class Stuck : public Server<Stuck> {
public:
    struct Shared {
        std::atomic<bool> is_in{false};
        std::atomic<bool> may_go{false};
        bool blocks = false;
        std::function<void(Stuck&)> afterwards = [](Stuck&) {};
    };
    explicit Stuck(Shared& shared)
        : m_shared(&shared) {}
    void handle_info(Hang /*message*/) {
        m_shared->is_in = true;
        m_shared->is_in.notify_all();
        while (!m_shared->may_go) {
            if (m_shared->blocks) {
                m_shared->may_go.wait(false);
            } else {
                std::this_thread::yield();
            }
        }
        m_shared->afterwards(*this);
    }
    int handle_call(Ping /*request*/) { return 2; }
    using Server::send_after;
    using Server::stop;

private:
    Shared* m_shared;
};

/// Its destructor does what a Stuck's handler does.
class StuckAtItsEnd : public Server<StuckAtItsEnd> {
public:
    explicit StuckAtItsEnd(Stuck::Shared& shared)
        : m_shared(&shared) {}
    StuckAtItsEnd(StuckAtItsEnd const&) = delete;
    StuckAtItsEnd& operator=(StuckAtItsEnd const&) = delete;
    StuckAtItsEnd(StuckAtItsEnd&&) = delete;
    StuckAtItsEnd& operator=(StuckAtItsEnd&&) = delete;
    ~StuckAtItsEnd() {
        m_shared->is_in = true;
        m_shared->is_in.notify_all();
        while (!m_shared->may_go) {
            std::this_thread::yield();
        }
    }
    void handle_call(Never /*request*/, Deferred<Never> reply) { m_reply.emplace(std::move(reply)); }

private:
    Stuck::Shared* m_shared;
    std::optional<Deferred<Never>> m_reply;
};

/// One worker, whose only thread gets stuck at once.
class StuckHandler : public ::testing::Test {
protected:
    explicit StuckHandler(StuckHandlers options = {})
        : m_node({.workers = 1, .log = &m_log, .stuck_handlers = options}) {}
    ~StuckHandler() override { let_go(); }
    StuckHandler(StuckHandler const&) = delete;
    StuckHandler& operator=(StuckHandler const&) = delete;
    StuckHandler(StuckHandler&&) = delete;
    StuckHandler& operator=(StuckHandler&&) = delete;

    void get_stuck() {
        m_stuck = m_node.start<Stuck>({}, std::ref(m_shared)).value();
        m_answerer = m_node.start<Answerer>().value();
        send(m_stuck, Hang{});
        m_shared.is_in.wait(false);
        // Answered by another thread, for the one that was there is in the handler.
        ASSERT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
    }
    void let_go() {
        m_shared.may_go = true;
        m_shared.may_go.notify_all();
    }
    LineSink m_log;
    Stuck::Shared m_shared;
    Node m_node;
    ServerRef<Stuck> m_stuck;
    ServerRef<Answerer> m_answerer;
};

TEST_F(StuckHandler, another_thread_serves_the_other_processes) {
    get_stuck();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
    }
    EXPECT_EQ(process_info(m_stuck)->state, ProcessState::running);
}

TEST_F(StuckHandler, it_is_seen_at_work_with_its_message_and_its_time) {
    m_node.account_time(Node::Accounting::on);
    get_stuck();
    std::optional<ProcessInfo> const first = process_info(m_stuck);
    ASSERT_NE(first->handling, nullptr);
    EXPECT_EQ(*first->handling, typeid(Hang));
    EXPECT_TRUE(eventually([&] { return process_info(m_stuck)->time_running > first->time_running; }));
    let_go();
    EXPECT_EQ(call(m_stuck, Ping{}, patience).value(), 2);
    EXPECT_TRUE(eventually([&] { return process_info(m_stuck)->handling == nullptr; }));
}

TEST(StuckHandlers, that_throw_when_they_are_back_are_reported_with_their_message) {
    log::Logger logger({.fallback = nullptr});
    Stuck::Shared shared;
    shared.afterwards = [](Stuck&) { throw std::runtime_error("at last"); };
    Node node({.workers = 1, .log = &logger});
    auto const stuck = node.start<Stuck>({}, std::ref(shared)).value();
    auto const answerer = node.start<Answerer>().value();
    send(stuck, Hang{});
    shared.is_in.wait(false);
    // Another thread handles this: the worker has another message in hand meanwhile.
    EXPECT_EQ(call(answerer, Ping{}, patience).value(), 1);
    shared.may_go = true;
    EXPECT_TRUE(eventually([&] { return !is_alive(stuck); }));
    auto const reports = logger.ring().grep("crashed: std::runtime_error: at last", 1);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_THAT(log::format(reports.front()->event()), HasSubstr("(anonymous namespace)::Hang\n"));
}

TEST_F(StuckHandler, it_is_reported_with_its_process_and_message_and_stack) {
    get_stuck();
    EXPECT_TRUE(m_log.wait_for("stuck for "));
    EXPECT_THAT(m_log.text(), HasSubstr("Stuck <"));
    EXPECT_THAT(m_log.text(), HasSubstr("handling sinew::testing::(anonymous namespace)::Hang\n    "));
}

TEST_F(StuckHandler, a_destructor_is_one_too) {
    m_answerer = m_node.start<Answerer>().value();
    auto const ending = m_node.start<StuckAtItsEnd>({}, std::ref(m_shared)).value();
    std::optional<Result<int>> answer;
    std::thread waiting([&] {
        NodeScope const scope(m_node);
        answer = call(ending, Never{}, patience);
    });
    exit(ending, ExitReason::kill());
    m_shared.is_in.wait(false);
    EXPECT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
    let_go();
    waiting.join();
    EXPECT_FALSE(*answer);
    EXPECT_TRUE(eventually([&] { return !is_alive(ending); }));
    EXPECT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
}

TEST_F(StuckHandler, its_process_goes_on_when_it_returns) {
    get_stuck();
    let_go();
    EXPECT_EQ(call(m_stuck, Ping{}, patience).value(), 2);
    EXPECT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
}

TEST_F(StuckHandler, a_handler_that_blocks_is_one_too) {
#if defined(__SANITIZE_THREAD__) || (defined(__clang__) && __has_feature(thread_sanitizer))
    GTEST_SKIP() << "the thread sanitizer holds signals back while a thread waits on a futex";
#endif
    m_shared.blocks = true;
    get_stuck();
}

TEST_F(StuckHandler, what_it_sends_meanwhile_goes_out) {
    struct Note {};
    class Counter : public Server<Counter> {
    public:
        explicit Counter(std::atomic<int>& count)
            : m_count(&count) {}
        void handle_info(Note /*message*/) { ++*m_count; }

    private:
        std::atomic<int>* m_count;
    };
    std::atomic<int> count = 0;
    auto const counter = m_node.start<Counter>({}, std::ref(count)).value();
    std::atomic<bool> may_end = false;
    m_shared.afterwards = [&](Stuck&) {
        send(counter, Note{});
        may_end.wait(false);
    };
    get_stuck();
    let_go();
    EXPECT_TRUE(eventually([&] { return count > 0; }));
    may_end = true;
    may_end.notify_all();
    EXPECT_EQ(call(m_stuck, Ping{}, patience).value(), 2);
    EXPECT_EQ(count, 1);
}

TEST_F(StuckHandler, what_it_asks_of_its_process_is_done_when_it_has_its_worker_again) {
    std::atomic<bool> has_timer = false;
    m_shared.afterwards = [&](Stuck& self) {
        set_label("back");
        (void)monitor(m_answerer);
        Timer const timer = self.send_after(1h, Hang{});
        has_timer = cancel(timer);
        self.stop();
    };
    get_stuck();
    let_go();
    EXPECT_TRUE(eventually([&] { return !is_alive(m_stuck); }));
    EXPECT_TRUE(has_timer);
}

TEST_F(StuckHandler, an_exit_signal_ends_its_process_when_it_returns) {
    get_stuck();
    exit(m_stuck, ExitReason::kill());
    EXPECT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
    EXPECT_TRUE(is_alive(m_stuck));
    let_go();
    EXPECT_TRUE(eventually([&] { return !is_alive(m_stuck); }));
}

TEST_F(StuckHandler, many_at_once_leave_the_worker_to_the_rest) {
    get_stuck();
    std::vector<ServerRef<Stuck>> more;
    for (int i = 0; i < 3; ++i) {
        more.push_back(m_node.start<Stuck>({}, std::ref(m_shared)).value());
        send(more.back(), Hang{});
    }
    EXPECT_EQ(call(m_answerer, Ping{}, patience).value(), 1);
    let_go();
    for (auto const& stuck : more) {
        EXPECT_EQ(call(stuck, Ping{}, patience).value(), 2);
    }
}

class BrieflyStuckHandler : public StuckHandler {
protected:
    BrieflyStuckHandler()
        : StuckHandler({.report_after = 1h}) {}
};

TEST_F(BrieflyStuckHandler, leaves_its_worker_without_a_word) {
    get_stuck();
    let_go();
    EXPECT_EQ(call(m_stuck, Ping{}, patience).value(), 2);
    EXPECT_EQ(m_log.text(), "");
}

/// Takes its time to start.
class SlowStarter : public Server<SlowStarter> {
public:
    explicit SlowStarter(Stuck::Shared& shared)
        : m_shared(&shared) {}
    void init() {
        m_shared->is_in = true;
        m_shared->is_in.notify_all();
        m_shared->may_go.wait(false);
    }

private:
    Stuck::Shared* m_shared;
};

class StartingHandler : public StuckHandler {
protected:
    StartingHandler()
        : StuckHandler({.report_after = 5ms, .report_start_after = 1h}) {}
};

TEST_F(StartingHandler, has_more_time_before_it_is_reported) {
#if defined(__SANITIZE_THREAD__) || (defined(__clang__) && __has_feature(thread_sanitizer))
    GTEST_SKIP() << "the thread sanitizer holds signals back while a thread waits on a futex";
#endif
    auto const starter = spawn<SlowStarter>(std::ref(m_shared));
    m_shared.is_in.wait(false);
    // Its worker is taken from it all the same; of these two only the other one is reported.
    Stuck::Shared other;
    m_stuck = m_node.start<Stuck>({}, std::ref(other)).value();
    send(m_stuck, Hang{});
    EXPECT_TRUE(m_log.wait_for("Stuck <"));
    EXPECT_THAT(m_log.text(), Not(HasSubstr("SlowStarter")));
    other.may_go = true;
    EXPECT_EQ(call(m_stuck, Ping{}, patience).value(), 2) << "it needs `other` no more";
    let_go();
    EXPECT_TRUE(is_alive(starter));
}

class ReportedHandler : public StuckHandler {
protected:
    ReportedHandler()
        : StuckHandler({.policy = StuckHandlers::Policy::report}) {}
};

TEST_F(ReportedHandler, is_reported_once_and_keeps_its_worker) {
    m_stuck = m_node.start<Stuck>({}, std::ref(m_shared)).value();
    m_answerer = m_node.start<Answerer>().value();
    send(m_stuck, Hang{});
    m_shared.is_in.wait(false);
    EXPECT_TRUE(m_log.wait_for("stuck for "));
    EXPECT_FALSE(call(m_answerer, Ping{}, 50ms)) << "nobody else serves it";
    std::string const text = m_log.text();
    EXPECT_EQ(text.find("stuck for ", text.find("stuck for ") + 1), std::string::npos);
}

} // namespace
} // namespace sinew::testing
