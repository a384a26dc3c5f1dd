#include "node/node_core.hpp"

#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/single_worker.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace sinew::detail {
namespace {

constinit std::array<std::atomic<NodeCore*>, node_index_limit> nodes{};

unsigned claim_node_index(NodeCore& core) {
    for (unsigned index = 0; index < node_index_limit; ++index) {
        NodeCore* expected = nullptr;
        if (nodes.at(index).compare_exchange_strong(expected, &core)) {
            return index;
        }
    }
    throw std::runtime_error("more than 64 nodes in one program");
}

constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) noexcept {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * second_ns + time.tv_nsec;
}

std::int64_t coarse_step(bool is_simulated) noexcept {
    timespec step{};
    clock_getres(CLOCK_MONOTONIC_COARSE, &step);
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

constinit thread_local Context t_context{};

NodeCore* node_by_index(unsigned index) noexcept {
    return nodes.at(index).load(std::memory_order_acquire);
}

Process& require_process(char const* function) {
    if (t_context.process == nullptr) {
        throw std::logic_error(std::string("sinew: ") + function + " works inside a process only");
    }
    ensure_worker();
    return *t_context.process;
}

NodeCore& require_core() {
    if (t_context.core == nullptr) {
        throw std::logic_error("sinew: this thread has no current node; make a Node on it, or a NodeScope");
    }
    return *t_context.core;
}

NodeCore::NodeCore(Node& owner, Setup const& setup)
    : node(owner)
    , sink(setup.options.log != nullptr ? *setup.options.log : log::standard_error())
    , blocking(std::make_unique<BlockingPool>(owner, std::max(1U, setup.options.blocking_threads)))
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
        workers.push_back(std::make_unique<Worker>(*this, index));
    }
    if (real_time.priority > 0) {
        real_time_worker = workers.back().get();
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
    kill_all();
    is_stopping.store(true, std::memory_order_seq_cst);
    for (auto const& worker : workers) {
        worker->wake();
    }
    if (watchdog != nullptr) {
        watchdog->stop();
    }
    drop_left_overs();
    nodes.at(node_index).store(nullptr, std::memory_order_release);
}

std::uint64_t NodeCore::spawn_count() const noexcept {
    std::uint64_t count = spawned_outside.load(std::memory_order_acquire);
    for (auto const& worker : workers) {
        count += worker->spawned;
    }
    return count;
}

std::size_t NodeCore::process_count() const noexcept {
    // In this order: a process that comes and goes in between is not counted as missing.
    std::uint64_t ended = 0;
    for (auto const& worker : workers) {
        ended += worker->ended.get_first();
    }
    return static_cast<std::size_t>(spawn_count() - ended);
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
            while (workers.front()->run_one()) {
            }
        } else {
            wait_while_ending();
        }
    }
}

// Not to kill again those who have only not come to it yet.
void NodeCore::wait_while_ending() const noexcept {
    constexpr int patience_steps = 100;
    std::size_t fewest = process_count();
    for (int step = 0; step < patience_steps && fewest > 0; ++step) {
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

std::int64_t NodeCore::now_ns() const noexcept {
    return m_virtual_clock ? m_virtual_clock->now().time_since_epoch().count() : read_clock(CLOCK_MONOTONIC);
}

std::int64_t NodeCore::coarse_now_ns() const noexcept {
    return m_virtual_clock ? now_ns() : read_clock(CLOCK_MONOTONIC_COARSE);
}

Worker& NodeCore::next_worker() noexcept {
    return *workers[m_next_worker.fetch_add(1, std::memory_order_relaxed) % ordinary_workers];
}

bool NodeCore::run_simulation_until(std::int64_t deadline_ns, bool (*is_done)(void*), void* argument) {
    Worker& worker = *workers.front();
    for (;;) {
        while (!is_done(argument)) {
            worker.take_shared_work();
            if (!worker.run_one() && !(!worker.file_watches.empty() && worker.poll_files(0))) {
                break;
            }
        }
        std::int64_t const next_ns = worker.timers.next_due();
        if (is_done(argument) || next_ns > deadline_ns || next_ns == TimerWheel::never) {
            break;
        }
        m_virtual_clock->advance(Duration(std::max<std::int64_t>(next_ns - now_ns(), 0)));
        worker.fire_timers(now_ns());
    }
    bool const done = is_done(argument);
    if (!done && deadline_ns != TimerWheel::never) {
        m_virtual_clock->advance(Duration(std::max<std::int64_t>(deadline_ns - now_ns(), 0)));
    }
    return done;
}

} // namespace sinew::detail
