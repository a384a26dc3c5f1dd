// A call beside a hundred handlers that never end.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace sinew::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Computes for ever.
class Hog : public Server<Hog> {
public:
    void handle_info(Begin /*message*/) {
        for (std::int64_t value = 1;;) {
            value = (value * 1'103'515'245 + 12'345) & 0x7fffffff;
            asm volatile("" : "+r"(value));
        }
    }
};

struct Ping {
    using Reply = int;
};
class Answerer : public Server<Answerer> {
public:
    int handle_call(Ping /*request*/) { return 1; }
};
/// Asks once in a while and takes the time.
class Asker : public Server<Asker> {
public:
    Asker(ServerRef<Answerer> server, std::size_t calls, std::vector<double>& times_us, Gate& gate)
        : m_server(server)
        , m_calls(calls)
        , m_times_us(&times_us)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        m_asked = SteadyClock::now();
        request(m_server, Ping{}).then([this](Result<int> const&) {
            m_times_us->push_back(
                std::chrono::duration<double, std::micro>(SteadyClock::now() - m_asked).count());
            if (m_times_us->size() == m_calls) {
                m_gate->arrive();
            } else {
                send(self(), Begin{});
            }
        });
    }

private:
    ServerRef<Answerer> m_server;
    std::size_t m_calls;
    std::vector<double>* m_times_us;
    Gate* m_gate;
    SteadyClock::time_point m_asked;
};

void calls_beside_hogs(Reporter& report, Setting const& setting) {
    using namespace std::chrono_literals;
    constexpr std::size_t calls = 10'000;
    Gate gate;
    std::vector<double> times_us;
    times_us.reserve(calls);
    Node node(setting.node_options());
    for (int i = 0; i < 100; ++i) {
        send(node.start<Hog>().value(), Begin{});
    }
    auto const server = node.start<Answerer>().value();
    auto const asker = node.start<Asker>({}, server, calls, std::ref(times_us), std::ref(gate)).value();
    std::this_thread::sleep_for(2s);
    send(asker, Begin{});
    gate.wait();
    add_percentiles(report, "hogs", "call", times_us, "us");
    // The hogs never end, and neither would their node.
    (void)std::fflush(nullptr);
    std::_Exit(0);
}
BenchCase const hogs_case("hogs", &calls_beside_hogs);

} // namespace
} // namespace sinew::bench
