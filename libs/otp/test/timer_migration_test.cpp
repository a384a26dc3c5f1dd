// Timers of processes that move from worker to worker: they come once, never early, and what is cancelled
// never comes.
#include "core/node_core.hpp"

#include <sinew/otp.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

struct Work {
    int left = 0;
    Duration busy{0};
};
struct Ring {
    int number = 0;
};

/// What all of them saw.
struct Seen {
    std::atomic<int> set{0};
    std::atomic<int> came{0};
    std::atomic<int> cancelled{0};
    std::atomic<int> early{0};
    std::atomic<int> unexpected{0};
    /// On another worker than the one it was set on.
    std::atomic<int> came_after_a_move{0};
    std::atomic<int> cancelled_after_a_move{0};
    std::atomic<int> workless{0};
};

/// Sets timers while it works, and cancels every second one later.
class Alarm : public Server<Alarm> {
public:
    explicit Alarm(Seen& seen)
        : m_seen(&seen) {}
    void handle_info(Work work) {
        set_one();
        auto const until = std::chrono::steady_clock::now() + work.busy;
        while (std::chrono::steady_clock::now() < until) {
        }
        if (m_next % 4 == 0) {
            cancel_some();
        }
        if (work.left > 0) {
            send(self(), Work{work.left - 1, work.busy});
        } else {
            ++m_seen->workless;
        }
    }
    void handle_info(Ring ring) {
        auto const found = m_running.find(ring.number);
        if (found == m_running.end()) {
            ++m_seen->unexpected;
            return;
        }
        m_seen->early += std::chrono::steady_clock::now() < found->second.due ? 1 : 0;
        m_seen->came_after_a_move += found->second.worker != worker() ? 1 : 0;
        ++m_seen->came;
        m_running.erase(found);
    }

private:
    struct Running {
        Timer timer;
        SteadyTime due;
        unsigned worker = 0;
    };
    static unsigned worker() { return process_info(sinew::self())->worker; }
    void set_one() {
        Duration const delay = std::chrono::microseconds(100 * (m_next % 30));
        SteadyTime const due = std::chrono::steady_clock::now() + delay;
        m_running.emplace(m_next, Running{send_after(delay, Ring{m_next}), due, worker()});
        ++m_next;
        ++m_seen->set;
    }
    void cancel_some() {
        for (auto at = m_running.begin(); at != m_running.end();) {
            if (at->first % 2 == 0 && cancel(at->second.timer)) {
                m_seen->cancelled_after_a_move += at->second.worker != worker() ? 1 : 0;
                ++m_seen->cancelled;
                at = m_running.erase(at);
            } else {
                ++at;
            }
        }
    }

    Seen* m_seen;
    int m_next = 0;
    std::map<int, Running> m_running;
};

TEST(MovingTimers, come_once_never_early_and_never_when_cancelled) {
    constexpr int most_rounds = 50;
    Seen seen;
    Node node({.workers = 4});
    std::vector<ServerRef<Alarm>> alarms;
    for (int i = 0; i < 64; ++i) {
        alarms.push_back(node.start<Alarm>({}, std::ref(seen)).value());
    }
    bool const can_move = node.core().workers.size() > 1;
    int expected_workless = 0;
    for (int round = 0; round < most_rounds; ++round) {
        for (std::size_t i = 0; i < alarms.size(); ++i) {
            // Some work long enough that their worker gives others away.
            send(alarms[i], Work{50, i % 8 == 0 ? Duration(30us) : Duration(100ns)});
        }
        expected_workless += static_cast<int>(alarms.size());
        while (seen.workless < expected_workless || seen.came + seen.cancelled < seen.set) {
            std::this_thread::yield();
        }
        if (!can_move || (seen.came_after_a_move > 0 && seen.cancelled_after_a_move > 0)) {
            break;
        }
    }
    EXPECT_EQ(seen.early, 0);
    EXPECT_EQ(seen.unexpected, 0);
    EXPECT_EQ(seen.came + seen.cancelled, seen.set);
    EXPECT_GT(seen.cancelled, 0);
    if (can_move) {
        EXPECT_GT(seen.came_after_a_move, 0);
        EXPECT_GT(seen.cancelled_after_a_move, 0);
    }
}

} // namespace
} // namespace sinew::testing
