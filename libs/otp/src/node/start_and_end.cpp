// How a node's parts come together, and how all that lives in it ends.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/single_worker.hpp"
#include "core/worker.hpp"
#include "messages/mailbox.hpp"
#include "process/signals.hpp"
#include "scheduler/blocking_pool.hpp"
#include "scheduler/run_loop.hpp"
#include "scheduler/watchdog.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <thread>

namespace sinew::detail {
namespace {

std::int64_t coarse_step(bool is_simulated) noexcept {
    timespec step{};
    clock_getres(CLOCK_MONOTONIC_COARSE, &step);
    constexpr std::int64_t second_ns = 1'000'000'000;
    return is_simulated ? 0 : step.tv_sec * second_ns + step.tv_nsec;
}

unsigned usable_processors() noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return static_cast<unsigned>(std::clamp(CPU_COUNT(&set), 1, 128));
    }
    return 1;
}

} // namespace

NodeCore::NodeCore(Node& owner, Setup const& setup)
    : node(owner)
    , sink(setup.options.log != nullptr ? *setup.options.log : log::standard_error())
    , blocking(std::make_unique<BlockingPool>(
          owner, BlockingPool::Limits{.threads = std::max(1U, setup.options.blocking_threads),
                                      .waiting = setup.options.blocking_queue}))
    , m_coarse_step_ns(coarse_step(setup.seed.has_value()))
    , m_virtual_clock(setup.seed ? std::make_unique<ManualClock>() : nullptr) {
    unsigned const count = setup.seed || single_worker  ? 1
                           : setup.options.workers != 0 ? setup.options.workers
                                                        : usable_processors();
    ordinary_workers = count;
    if (!single_worker) {
        real_time = setup.options.real_time;
    }
    for (unsigned index = 0; index < count + (real_time.priority > 0 ? 1 : 0); ++index) {
        loops.push_back(std::make_unique<RunLoop>(*this, index));
        workers.push_back(&loops.back()->worker);
    }
    if (real_time.priority > 0) {
        real_time_worker = workers.back();
    }
    if (!setup.seed) {
        watchdog = std::make_unique<Watchdog>(*this, setup.options.stuck_handlers);
    }
    node_index = claim_node_index(*this);
}

void NodeCore::start_threads() {
    watchdog->start();
}

NodeCore::~NodeCore() {
    assert_may_block("the end of a node");
    kill_all();
    is_stopping.store(true, std::memory_order_seq_cst);
    for (Worker* const worker : workers) {
        worker->wake();
    }
    if (watchdog != nullptr) {
        watchdog->stop();
    }
    drop_left_overs();
    release_node_index(node_index);
}

std::uint64_t NodeCore::spawn_count() const noexcept {
    std::uint64_t count = spawned_outside.load(std::memory_order_acquire);
    for (Worker const* const worker : workers) {
        count += worker->spawned;
    }
    return count;
}

std::size_t NodeCore::process_count() const noexcept {
    // In this order: a process that comes and goes in between is not counted as missing.
    std::uint64_t ended = 0;
    for (Worker const* const worker : workers) {
        ended += worker->ended.get_first();
    }
    return static_cast<std::size_t>(spawn_count() - ended);
}

// A dying process may start another: nobody is left when a whole look found nobody and none was made
// meanwhile.
void NodeCore::kill_all() noexcept {
    blocking->stop(); // Its object stays: processes may still ask it.
    for (;;) {
        std::uint64_t const spawned_before = spawn_count();
        bool const found = kill_everyone();
        if (!found && process_count() == 0 && spawn_count() == spawned_before) {
            return;
        }
        if (is_simulated()) {
            MustNotBlock const scope("a simulated process");
            while (loops.front()->run_one()) {
            }
        } else {
            wait_while_ending();
        }
    }
}

bool NodeCore::kill_everyone() noexcept {
    bool found = false;
    slots.for_each([&found](Process const& process) {
        Pid const pid = Pid::from_value(process.identity.load(std::memory_order_acquire));
        if ((pid.value() & Process::free_bit) == 0) {
            found = true;
            send_exit(pid, Pid(), ExitReason::kill(), ExitCause::request);
        }
    });
    return found;
}

// Not to kill again those who have only not come to it yet.
void NodeCore::wait_while_ending() const noexcept {
    constexpr int steps_without_an_end = 100;
    std::size_t fewest = process_count();
    for (int step = 0; step < steps_without_an_end && fewest > 0; ++step) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        if (std::size_t const count = process_count(); count < fewest) {
            fewest = count;
            step = 0;
        }
    }
}

// Messages to processes that ended last may still wait in their records.
void NodeCore::drop_left_overs() noexcept {
    slots.for_each([](Process& process) {
        Envelope* list = process.remote.exchange(nullptr);
        while (list != nullptr) {
            Envelope* const envelope = list;
            list = list->next;
            bounce(envelope);
        }
    });
}

} // namespace sinew::detail
