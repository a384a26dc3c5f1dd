// How late a timer fires beside busy threads: on the real-time worker, on an ordinary one, and in a bare
// SCHED_FIFO thread, which is the least.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace sinew::bench {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t ticks = 3000;
constexpr auto interval = 1ms;
constexpr int priority = 50;

/// As many threads as there are processors, each busy.
class BusyThreads {
public:
    BusyThreads() {
        for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
            m_threads.emplace_back([this] {
                while (!m_is_over.load(std::memory_order_relaxed)) {
                }
            });
        }
    }
    BusyThreads(BusyThreads const&) = delete;
    BusyThreads& operator=(BusyThreads const&) = delete;
    BusyThreads(BusyThreads&&) = delete;
    BusyThreads& operator=(BusyThreads&&) = delete;
    ~BusyThreads() {
        m_is_over.store(true);
        for (std::thread& thread : m_threads) {
            thread.join();
        }
    }

private:
    std::atomic<bool> m_is_over{false};
    std::vector<std::thread> m_threads;
};

struct Tick {
    std::int64_t due_ns = 0;
};
class Ticking : public Server<Ticking> {
public:
    Ticking(bool is_real_time, std::vector<double>& late_us, Gate& gate)
        : m_is_real_time(is_real_time)
        , m_late_us(&late_us)
        , m_gate(&gate) {}
    Result<> init() {
        set_next();
        return m_is_real_time ? set_real_time() : Result<>();
    }
    void handle_info(Tick tick) {
        m_late_us->push_back(static_cast<double>(now().time_since_epoch().count() - tick.due_ns) / 1e3);
        if (m_late_us->size() == ticks) {
            m_gate->arrive();
        } else {
            set_next();
        }
    }

private:
    void set_next() { send_after(interval, Tick{(now() + interval).time_since_epoch().count()}); }
    bool m_is_real_time;
    std::vector<double>* m_late_us;
    Gate* m_gate;
};

std::vector<double> lateness_of_process(Setting const& setting, bool is_real_time) {
    std::vector<double> late_us;
    late_us.reserve(ticks);
    Gate gate;
    NodeOptions options = setting.node_options();
    options.real_time = {.priority = priority};
    Node node(options);
    (void)node.start<Ticking>({}, is_real_time, std::ref(late_us), std::ref(gate)).value();
    gate.wait();
    return late_us;
}

std::vector<double> lateness_of_thread() {
    std::vector<double> late_us;
    std::thread([&late_us] {
        sched_param const parameter{.sched_priority = priority};
        (void)sched_setscheduler(0, SCHED_FIFO, &parameter);
        auto const now_ns = [] {
            timespec time{};
            clock_gettime(CLOCK_MONOTONIC, &time);
            return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
        };
        for (std::size_t i = 0; i < ticks; ++i) {
            std::int64_t const due_ns = now_ns() + std::chrono::nanoseconds(interval).count();
            timespec const due{.tv_sec = due_ns / 1'000'000'000, .tv_nsec = due_ns % 1'000'000'000};
            (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
            late_us.push_back(static_cast<double>(now_ns() - due_ns) / 1e3);
        }
    }).join();
    return late_us;
}

void real_time(Reporter& report, Setting const& setting) {
    BusyThreads const busy;
    add_percentiles(report, "real_time", "late", lateness_of_process(setting, true), "us");
    add_percentiles(report, "real_time", "ordinary_late", lateness_of_process(setting, false), "us");
    add_percentiles(report, "real_time", "bare_thread_late", lateness_of_thread(), "us");
}
BenchCase const real_time_case("real_time", &real_time);

} // namespace
} // namespace sinew::bench
