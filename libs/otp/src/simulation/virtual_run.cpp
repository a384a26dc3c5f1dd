#include "simulation/virtual_run.hpp"

#include "core/node_core.hpp"
#include "core/timer_wheel.hpp"
#include "core/worker.hpp"
#include "scheduler/poll.hpp"
#include "scheduler/run_loop.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/may_block.hpp>

#include <algorithm>
#include <cstdint>

namespace sinew::detail {
namespace {

constexpr char const* simulated = "a simulated process";

bool has_file_events(Worker& worker) {
    return !worker.poller.watches.empty() && poll_files(worker, 0);
}

} // namespace

bool run_simulation_step(NodeCore& core) {
    MustNotBlock const scope(simulated);
    RunLoop& loop = *core.loops.front();
    take_shared_work(loop.worker);
    fire_timers(loop.worker, core.now_ns());
    return loop.run_one() || has_file_events(loop.worker);
}

bool run_simulation_until(NodeCore& core, std::int64_t deadline_ns, bool (*is_done)(void*), void* argument) {
    RunLoop& loop = *core.loops.front();
    Worker& worker = loop.worker;
    for (;;) {
        while (!is_done(argument)) {
            MustNotBlock const scope(simulated);
            take_shared_work(worker);
            if (!loop.run_one() && !has_file_events(worker)) {
                break;
            }
        }
        std::int64_t const next_ns = worker.timers.next_due();
        if (is_done(argument) || next_ns > deadline_ns || next_ns == TimerWheel::never) {
            break;
        }
        core.virtual_clock().advance(Duration(std::max<std::int64_t>(next_ns - core.now_ns(), 0)));
        fire_timers(worker, core.now_ns());
    }
    bool const done = is_done(argument);
    if (!done && deadline_ns != TimerWheel::never) {
        core.virtual_clock().advance(Duration(std::max<std::int64_t>(deadline_ns - core.now_ns(), 0)));
    }
    return done;
}

} // namespace sinew::detail
