// The life of processes: spawn and exit, memory of an idle one, crash and restart.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sinew::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr int batch = 1000;

class Spawner : public Server<Spawner> {
public:
    Spawner(std::int64_t count, std::atomic<std::int64_t>& ended, Gate& gate)
        : m_left(count)
        , m_ended(&ended)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        for (int i = 0; i < batch && m_left > 0; ++i, --m_left) {
            spawn([ended = m_ended, gate = m_gate] {
                if (ended->fetch_sub(1, std::memory_order_relaxed) == 1) {
                    gate->arrive();
                }
            });
        }
        if (m_left > 0) {
            send(self(), Begin{});
        }
    }

private:
    std::int64_t m_left;
    std::atomic<std::int64_t>* m_ended;
    Gate* m_gate;
};

void spawn_exit(Reporter& report, Setting const& setting) {
    constexpr std::int64_t count = 2'000'000;
    Gate gate;
    std::atomic<std::int64_t> ended{count};
    Node node(setting.node_options());
    auto const spawner = node.start<Spawner>({}, count, std::ref(ended), std::ref(gate)).value();
    auto const start = SteadyClock::now();
    send(spawner, Begin{});
    gate.wait();
    report.rate("spawn_exit", "processes", count, SteadyClock::now() - start);
}
BenchCase const spawn_exit_case("spawn_exit", &spawn_exit);

class Idle : public Server<Idle> {
    std::array<std::int64_t, 4> m_state{};
};

class IdleSpawner : public Server<IdleSpawner> {
public:
    IdleSpawner(int count, Gate& gate)
        : m_left(count)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        for (int i = 0; i < batch && m_left > 0; ++i, --m_left) {
            spawn<Idle>();
        }
        if (m_left > 0) {
            send(self(), Begin{});
            return;
        }
        // The last one is behind all others in its worker's queue.
        spawn([gate = m_gate] { gate->arrive(); });
    }

private:
    int m_left;
    Gate* m_gate;
};

void memory(Reporter& report, Setting const& setting) {
    constexpr int count = 1'000'000;
    Gate gate;
    Node node(setting.node_options());
    auto const spawner = node.start<IdleSpawner>({}, count, std::ref(gate)).value();
    double const before = resident_bytes();
    auto const start = SteadyClock::now();
    send(spawner, Begin{});
    gate.wait();
    report.rate("memory", "spawned", count, SteadyClock::now() - start);
    report.add("memory", "bytes", (resident_bytes() - before) / count, "B");
}
BenchCase const memory_case("memory", &memory);

struct Ping {
    using Reply = int;
};
struct Crash {};
class Victim : public Server<Victim> {
public:
    int handle_call(Ping /*request*/) { return 1; }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("crash"); }
};
/// Crashes the victim, and asks it until it answers again.
class Breaker : public Server<Breaker> {
public:
    Breaker(int count, std::vector<double>& latencies_us, Gate& gate)
        : m_left(count)
        , m_latencies_us(&latencies_us)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) { crash(); }
    /// Nobody had the name yet.
    void handle_info(Ping /*again*/) { ask(); }

private:
    void crash() {
        if (m_left-- == 0) {
            m_gate->arrive();
            return;
        }
        m_start = SteadyClock::now();
        cast(name<Victim>, Crash{});
        ask();
    }
    void ask() {
        request(name<Victim>, Ping{}).then([this](Result<int> const& answer) {
            if (!answer) {
                // After all that is runnable: the supervisor's turn comes first.
                send_after(Duration(0), Ping{});
                return;
            }
            m_latencies_us->push_back(
                std::chrono::duration<double, std::micro>(SteadyClock::now() - m_start).count());
            crash();
        });
    }
    int m_left;
    std::vector<double>* m_latencies_us;
    Gate* m_gate;
    SteadyClock::time_point m_start;
};

void restarts(Reporter& report, Setting const& setting) {
    constexpr int count = 50'000;
    Gate gate;
    std::vector<double> latencies_us;
    latencies_us.reserve(count);
    Node node(setting.node_options());
    auto const tree =
        node.start(supervise(SupervisorOptions{.intensity = 10'000'000}, {child<Victim>()})).value();
    auto const breaker = node.start<Breaker>({}, count, std::ref(latencies_us), std::ref(gate)).value();
    auto const start = SteadyClock::now();
    send(breaker, Begin{});
    gate.wait();
    report.rate("restart", "restarts", count, SteadyClock::now() - start);
    add_percentiles(report, "restart", "crash_to_answer", latencies_us, "us");
    (void)stop_and_wait(tree, ExitReason::shutdown());
}
BenchCase const restart_case("restart", &restarts);

} // namespace
} // namespace sinew::bench
