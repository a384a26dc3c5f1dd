// Timers: a million set and cancelled, and a million that fire: how late they are.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace sinew::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t timer_count = 1'000'000;

struct Alarm {
    std::int64_t due_ns = 0;
};

std::uint64_t next_random(std::uint64_t& state) {
    state = state * 6'364'136'223'846'793'005ULL + 1;
    return state >> 33;
}

class TimerSetter : public Server<TimerSetter> {
public:
    TimerSetter(Reporter& report, Gate& gate)
        : m_report(&report)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        std::vector<Timer> timers(timer_count);
        std::uint64_t random = 42;
        double const before = resident_bytes();
        auto const start = SteadyClock::now();
        for (Timer& timer : timers) {
            timer = send_after(std::chrono::milliseconds(20'000 + next_random(random) % 3000), Alarm{});
        }
        auto const set = SteadyClock::now();
        m_report->rate("timers", "set", timer_count, set - start);
        m_report->add("timers", "bytes", (resident_bytes() - before) / static_cast<double>(timer_count), "B");
        auto const cancelling = SteadyClock::now();
        for (Timer const timer : timers) {
            cancel(timer);
        }
        m_report->rate("timers", "cancel", timer_count, SteadyClock::now() - cancelling);
        m_gate->arrive();
    }
    void handle_info(Alarm /*alarm*/) {}

private:
    Reporter* m_report;
    Gate* m_gate;
};

void set_and_cancel(Reporter& report, Setting const& setting) {
    Gate gate;
    Node node(setting.node_options());
    auto const setter = node.start<TimerSetter>({}, std::ref(report), std::ref(gate)).value();
    send(setter, Begin{});
    gate.wait();
}
BenchCase const timers_case("timers", &set_and_cancel);

class AlarmClock : public Server<AlarmClock> {
public:
    AlarmClock(std::vector<double>& late_ms, Gate& gate)
        : m_late_ms(&late_ms)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        std::uint64_t random = 42;
        for (std::size_t i = 0; i < timer_count; ++i) {
            std::chrono::milliseconds const delay(2000 + next_random(random) % 3000);
            send_after(delay, Alarm{(now() + delay).time_since_epoch().count()});
        }
    }
    void handle_info(Alarm alarm) {
        m_late_ms->push_back(static_cast<double>(now().time_since_epoch().count() - alarm.due_ns) / 1e6);
        if (m_late_ms->size() == timer_count) {
            m_gate->arrive();
        }
    }

private:
    std::vector<double>* m_late_ms;
    Gate* m_gate;
};

void lateness(Reporter& report, Setting const& setting) {
    Gate gate;
    std::vector<double> late_ms;
    late_ms.reserve(timer_count);
    Node node(setting.node_options());
    auto const clock = node.start<AlarmClock>({}, std::ref(late_ms), std::ref(gate)).value();
    send(clock, Begin{});
    gate.wait();
    add_percentiles(report, "timers_late", "late", late_ms, "ms");
}
BenchCase const late_case("timers_late", &lateness);

} // namespace
} // namespace sinew::bench
