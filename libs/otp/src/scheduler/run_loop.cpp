#include "scheduler/run_loop.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/single_worker.hpp"
#include "core/worker.hpp"
#include "messages/delivery.hpp"
#include "messages/mailbox_limit.hpp"
#include "process/attend.hpp"
#include "process/handle.hpp"
#include "scheduler/balance.hpp"
#include "scheduler/hand_over.hpp"
#include "scheduler/idle.hpp"
#include "scheduler/poll.hpp"
#include "scheduler/thread_scheduling.hpp"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <ctime>

namespace sinew::detail {
namespace {

constexpr unsigned messages_per_run = 256;
/// Reading the clock costs as much as a small handler.
constexpr unsigned messages_per_look = 8;
/// After so long another process has its turn.
constexpr std::int64_t longest_run_ns = 2'000'000;
constexpr unsigned turns_per_look = 16;
constexpr std::int64_t file_poll_interval_ns = 500'000;

/// Asked from the eighth message on, so the clock is not read for a short run.
bool is_run_too_long(NodeCore const& core, std::int64_t& deadline_ns) noexcept {
    std::int64_t const now_ns = core.now_ns();
    if (deadline_ns == 0) {
        deadline_ns = now_ns + longest_run_ns;
    }
    return now_ns > deadline_ns;
}

/// Whether it has more to do.
bool is_to_run_again(Process const& process) noexcept {
    bool const has_attention_left =
        process.has(Process::is_doomed | Process::needs_start) ||
        (process.has(Process::is_ready) && !process.has(Process::is_blocked)) ||
        (process.has(Process::stop_requested) &&
         (!process.has(Process::is_suspended) ||
          (process.has(Process::is_receiving) && !process.has(Process::is_terminating))));
    return has_attention_left ||
           (process.mailbox_first != nullptr && !process.has(Process::is_suspended | Process::is_halted));
}

void move_to_real_time_worker(Worker& worker, Process& process) {
    worker.flush_remote(); // What it sent from here goes before what it sends from there.
    process.flags = (process.flags & ~Process::is_moving) | Process::is_runnable;
    hand_over(worker, *worker.core.real_time_worker, process);
}

} // namespace

RunLoop::RunLoop(NodeCore& core, unsigned worker_index)
    : worker(core, worker_index) {}

RunLoop::End RunLoop::run() {
    NodeCore& core = worker.core;
    Seat* const seat = t_context.seat;
    t_context = {.worker = &worker, .core = &core, .seat = seat};
    clockid_t clock = 0;
    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
        worker.thread_clock.store(clock, std::memory_order_relaxed);
    }
    worker.driver.store(seat, std::memory_order_release);
    set_scheduling_for(worker);
    worker.watch_timer.arm();
    // What a stuck handler sent before its thread was displaced.
    worker.flush_remote();
    unsigned turn = 0;
    auto end = End::stopping;
    while (!core.is_stopping.load(std::memory_order_relaxed)) {
        if (worker.returning.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
            end = End::wanted_back;
            break;
        }
        step(turn);
    }
    t_context = {.seat = seat};
    return end;
}

void RunLoop::step(unsigned& turn) {
    take_shared_work(worker);
    if (++turn % turns_per_look == 0 && (worker.timers.size() != 0 || !worker.poller.watches.empty())) {
        std::int64_t const now_ns = worker.core.now_ns();
        fire_timers(worker, now_ns);
        if (!worker.poller.watches.empty() && now_ns - worker.poller.last_look_ns > file_poll_interval_ns) {
            poll_files(worker, 0);
        }
    }
    if (!single_worker && worker.queue.in_line() != 0 &&
        worker.core.idle_workers.load(std::memory_order_relaxed) != 0) {
        run_one_and_share();
    } else if (!run_one() && idle(worker)) {
        m_balance.measure_next();
    }
}

void RunLoop::run_one_and_share() {
    if (!m_balance.is_run_to_measure()) {
        (void)run_one();
        return;
    }
    std::int64_t const before_ns = worker.core.now_ns();
    (void)run_one();
    std::int64_t const now_ns = worker.core.now_ns();
    m_balance.share(worker, now_ns - before_ns, now_ns);
}

bool RunLoop::run_one() {
    Process* const process =
        worker.is_simulated() ? worker.queue.pop_chosen(*worker.core.chooser) : worker.queue.pick();
    if (process == nullptr) {
        return false;
    }
    run_process(*process);
    send_on();
    return true;
}

void RunLoop::send_on() {
    if (worker.outgoing.is_empty()) {
        return;
    }
    Process& receiver = worker.outgoing.target();
    if (take_over(worker, receiver, worker.outgoing.target_pid())) {
        (void)worker.outgoing.put_down(worker.index());
        (void)take_remote_messages(worker, receiver);
    } else {
        worker.flush_remote();
    }
}

void RunLoop::run_process(Process& process) {
    NodeCore const& core = worker.core;
    t_context.process = &process;
    worker.running = &process;
    worker.is_flooding = false;
    process.flags = (process.flags & ~Process::is_runnable) | Process::is_running;
    std::int64_t started_ns = 0;
    if (core.is_timing.load(std::memory_order_relaxed)) {
        started_ns = core.now_ns();
        worker.running_since_ns = started_ns;
    }
    bool const has_ended = !run_messages(process);
    t_context.process = nullptr;
    worker.running = nullptr;
    worker.handling = nullptr;
    if (started_ns != 0) {
        worker.running_since_ns = 0;
    }
    if (has_ended) {
        return;
    }
    if (started_ns != 0) {
        process.running_ns += core.now_ns() - started_ns;
    }
    process.flags &= ~Process::is_running;
    if (process.has(Process::is_moving | Process::blocks_senders)) [[unlikely]] {
        if (process.has(Process::blocks_senders)) {
            let_senders_go_on(process);
        }
        if (process.has(Process::is_moving)) {
            move_to_real_time_worker(worker, process);
            return;
        }
    }
    if (is_to_run_again(process)) {
        queue_again(process);
    }
}

bool RunLoop::run_messages(Process& process) {
    unsigned budget = worker.is_simulated() ? 1 : messages_per_run;
    std::int64_t deadline_ns = 0;
    for (unsigned count = 1; count <= budget; ++count) {
        if (process.has(Process::needs_attention)) [[unlikely]] {
            Attention const attention = attend(worker, process);
            if (attention == Attention::ended) {
                return false;
            }
            if (attention == Attention::wait) {
                return true;
            }
            if (attention == Attention::again) {
                if (count % messages_per_look == 0 && is_run_too_long(worker.core, deadline_ns)) {
                    return true;
                }
                continue;
            }
        }
        if (process.mailbox_first == nullptr) {
            if (process.remote.load(std::memory_order_relaxed) == nullptr) {
                return true;
            }
            (void)take_remote_messages(worker, process);
            continue;
        }
        handle(worker, process, process.pop());
        if (worker.is_flooding ||
            (count % messages_per_look == 0 && is_run_too_long(worker.core, deadline_ns))) [[unlikely]] {
            return true;
        }
        if (count == budget && process.is_flooded() && !worker.is_simulated()) [[unlikely]] {
            budget += messages_per_look; // Until it isn't any more, or its time is up.
        }
    }
    // A simulated step includes the end that its message asked for: one decision of the scheduler fewer.
    if (worker.is_simulated() && process.has(Process::stop_requested | Process::is_doomed)) {
        return attend(worker, process) != Attention::ended;
    }
    return true;
}

void RunLoop::queue_again(Process& process) {
    process.flags |= Process::is_runnable;
    if (worker.outgoing.flood_since_ns() != 0 && may_follow_receiver(worker, process)) [[unlikely]] {
        Worker& receiver = *worker.outgoing.target().owner.load(std::memory_order_acquire);
        worker.flush_remote(); // What it sent from here goes before what it sends from there.
        hand_over(worker, receiver, process);
    } else {
        worker.queue.push_back(process);
    }
}

} // namespace sinew::detail
