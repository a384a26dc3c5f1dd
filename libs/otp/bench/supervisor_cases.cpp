// Servers started and stopped under a dynamic supervisor.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace sinew::bench {
namespace {

class Session : public Server<Session> {};

/// Keeps several starts and stops under way.
class Starter : public Server<Starter> {
public:
    Starter(ServerRef<DynamicSupervisor> supervisor, std::int64_t count, Gate& gate)
        : m_supervisor(supervisor)
        , m_to_start(count)
        , m_to_stop(count)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        for (int i = 0; i < 64; ++i) {
            start_one();
        }
    }

private:
    void start_one() {
        if (m_to_start-- <= 0) {
            return;
        }
        request(m_supervisor, StartChild{m_sessions()}).then([this](Result<Pid> const& started) {
            sinew::stop(*started).then([this](Result<> const&) {
                if (--m_to_stop == 0) {
                    m_gate->arrive();
                }
                start_one();
            });
        });
    }
    ServerRef<DynamicSupervisor> m_supervisor;
    std::int64_t m_to_start;
    std::int64_t m_to_stop;
    Gate* m_gate;
    ChildTemplate<Session> m_sessions = child_template<Session>({.restart = Restart::temporary});
};

void start_stop(Reporter& report, Setting const& setting) {
    constexpr std::int64_t count = 500'000;
    Gate gate;
    Node node(setting.node_options());
    auto const supervisor = node.start<DynamicSupervisor>({}, DynamicSupervisor::Options{}).value();
    auto const starter = node.start<Starter>({}, supervisor, count, std::ref(gate)).value();
    auto const start = std::chrono::steady_clock::now();
    send(starter, Begin{});
    gate.wait();
    report.rate("dynamic_supervisor", "start_stop", count, std::chrono::steady_clock::now() - start);
}

BenchCase const start_stop_case("dynamic_supervisor", &start_stop);

} // namespace
} // namespace sinew::bench
