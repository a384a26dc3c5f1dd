#include "scheduler/idle.hpp"

#include "core/node_core.hpp"
#include "core/rest.hpp"
#include "core/timer_wheel.hpp"
#include "core/worker.hpp"
#include "scheduler/give_back.hpp"
#include "scheduler/poll.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sinew::detail {
namespace {

/// Spinning pays only while another worker is busy and may send something. True: something came.
bool spin(Worker& worker) noexcept {
    constexpr std::int64_t spin_ns = 20'000;
    NodeCore const& core = worker.core;
    std::int64_t const until_ns = core.now_ns() + spin_ns;
    worker.rest.begin(Rest::State::spinning);
    bool found = false;
    while (!found && core.idle_workers.load(std::memory_order_relaxed) < core.ordinary_workers) {
        for (int i = 0; i < 32 && !found; ++i) {
            found = worker.has_shared_work(std::memory_order_relaxed);
            pause_briefly();
        }
        if (core.now_ns() >= until_ns) {
            break;
        }
    }
    worker.rest.end();
    return found;
}

void sleep(Worker& worker) {
    worker.watch_timer.disarm();
    std::int64_t const look_again_ns = worker.is_real_time() ? TimerWheel::never : give_memory_back(worker);
    std::int64_t const deadline_ns = std::min(worker.timers.next_due(), look_again_ns);
    worker.rest.begin(Rest::State::asleep);
    if (!worker.has_shared_work(std::memory_order_seq_cst) &&
        !worker.core.is_stopping.load(std::memory_order_seq_cst)) {
        poll_files(worker, deadline_ns);
    }
    worker.rest.end();
    worker.watch_timer.arm();
}

} // namespace

bool idle(Worker& worker) {
    worker.flush_remote();
    NodeCore& core = worker.core;
    constexpr std::size_t moved_when_idle = 1024;
    if (fire_timers(worker, core.now_ns()) || worker.timers.prepare(moved_when_idle)) {
        return false;
    }
    if (worker.is_real_time()) {
        sleep(worker); // A spinning thread of this kind would hold up all others.
        fire_timers(worker, core.now_ns());
        return false;
    }
    worker.is_idle.store(true, std::memory_order_relaxed);
    core.idle_workers.fetch_add(1, std::memory_order_relaxed);
    if (!spin(worker)) {
        sleep(worker);
    }
    core.idle_workers.fetch_sub(1, std::memory_order_relaxed);
    worker.is_idle.store(false, std::memory_order_relaxed);
    fire_timers(worker, core.now_ns());
    return true;
}

} // namespace sinew::detail
