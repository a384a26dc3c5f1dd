// Supervisors and a child whose handler never returns: it can't be killed, and its siblings end in order.
#include "supervisor_world.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct Hang {};

/// Blocks until it may go on.
class Stuck : public Server<Stuck> {
public:
    struct Options {
        std::atomic<bool>* may_go;
        std::atomic<int>* stuck;
    };
    explicit Stuck(Options options)
        : m_options(options) {}
    void handle_info(Hang /*message*/) {
        ++*m_options.stuck;
        while (!*m_options.may_go) { // A futex would hold the signal back under the thread sanitizer.
            std::this_thread::yield();
        }
    }

private:
    Options m_options;
};

class StuckChildren : public ::testing::Test {
protected:
    StuckChildren() = default;
    StuckChildren(StuckChildren const&) = delete;
    StuckChildren& operator=(StuckChildren const&) = delete;
    StuckChildren(StuckChildren&&) = delete;
    StuckChildren& operator=(StuckChildren&&) = delete;
    /// The node waits for it.
    ~StuckChildren() override {
        may_go = true;
        may_go.notify_all();
    }
    ChildSpec stuck(Shutdown shutdown, std::string id = "stuck") {
        return child<Stuck>({.may_go = &may_go, .stuck = &stuck_count},
                            {.id = std::move(id), .shutdown = shutdown});
    }
    ChildSpec worker(std::string const& id) {
        return child<Worker>({.name = id, .journal = &journal}, {.id = id});
    }

    /// Makes it so.
    void hang(std::string const& id) {
        int const before = stuck_count;
        send(name<Stuck>(id), Hang{});
        ASSERT_TRUE(eventually([&] { return stuck_count > before; }));
    }

    std::atomic<bool> may_go{false};
    std::atomic<int> stuck_count{0};
    Journal journal;
    LineSink sink;
    Node node{NodeOptions{.workers = 2, .log = &sink}};
};

TEST_F(StuckChildren, do_not_keep_a_supervisor_from_ending_their_siblings_in_order) {
    auto const tree =
        node.start(supervise(Strategy::one_for_one, {worker("a"), stuck(Shutdown::after(1ms)),
                                                     stuck(Shutdown::brutal(), "brutal"), worker("b")}))
            .value();
    hang("stuck");
    hang("brutal");
    ASSERT_TRUE(stop_and_wait(tree, ExitReason::shutdown(), patience));
    EXPECT_THAT(journal.lines(), ElementsAre("up a", "up b", "down b shutdown", "down a shutdown"));
    EXPECT_TRUE(sink.wait_for("child 'stuck'"));
    EXPECT_TRUE(sink.wait_for("child 'brutal'"));
    EXPECT_TRUE(sink.wait_for("its handler doesn't return; going on without it"));
}

TEST_F(StuckChildren, do_not_keep_a_dynamic_supervisor_from_ending) {
    auto const supervisor = node.start<DynamicSupervisor>({}, DynamicSupervisor::Options{}).value();
    ASSERT_TRUE(call(supervisor, StartChild{worker("a")}));
    ASSERT_TRUE(call(supervisor, StartChild{stuck(Shutdown::after(1ms))}));
    hang("stuck");
    ASSERT_TRUE(stop_and_wait(supervisor, ExitReason::shutdown(), patience));
    EXPECT_THAT(journal.lines(), ElementsAre("up a", "down a shutdown"));
    EXPECT_TRUE(sink.wait_for("going on without it"));
}

TEST_F(StuckChildren, are_forgotten_when_they_are_terminated) {
    auto const supervisor = node.start<DynamicSupervisor>({}, DynamicSupervisor::Options{}).value();
    Pid const child = call(supervisor, StartChild{stuck(Shutdown::brutal())}).value();
    hang("stuck");
    ASSERT_TRUE(call(supervisor, TerminatePid{child}, patience));
    EXPECT_EQ(call(supervisor, CountChildren{}).value(), ChildCounts{});
}

} // namespace
} // namespace sinew::testing
