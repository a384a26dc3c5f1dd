#include "scheduler/worker.hpp"

#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "scheduler/context.hpp"
#include "scheduler/seat.hpp"
#include "scheduler/single_worker.hpp"
#include "scheduler/watchdog.hpp"

#include <sinew/base/file.hpp>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <system_error>
#include <utility>

namespace sinew::detail {
namespace {

constexpr unsigned messages_per_run = 256;
/// Reading the clock costs as much as a small handler.
constexpr unsigned messages_per_look = 8;
constexpr unsigned hot_streak_limit = 64;
/// After so long another process has its turn.
constexpr std::int64_t longest_run_ns = 2'000'000;
constexpr unsigned turns_per_look = 16;
constexpr std::int64_t file_poll_interval_ns = 500'000;
constexpr unsigned sequence_bits = 48;

} // namespace

Worker::Worker(NodeCore& node_core, unsigned worker_index)
    : core(node_core)
    , timers(node_core.now_ns())
    , m_index(worker_index)
    , m_is_simulated(node_core.is_simulated())
    , m_poller(epoll_create1(EPOLL_CLOEXEC))
    , m_wake_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    , m_next_sequence((static_cast<std::uint64_t>(worker_index) << sequence_bits) + 1) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
    if (!m_poller || !m_wake_event ||
        epoll_ctl(m_poller.get(), EPOLL_CTL_ADD, m_wake_event.get(), &event) != 0) {
        throw std::system_error(errno, std::system_category(), "a worker's epoll can't be made");
    }
}

Worker::~Worker() = default;

bool Worker::is_real_time() const noexcept {
    return core.real_time_worker == this;
}

std::int64_t Worker::busy_ns() const noexcept {
    clockid_t const clock = m_thread_clock.load(std::memory_order_relaxed);
    timespec time{};
    if (clock == 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Worker::LoopEnd Worker::run_loop() {
    Seat* const seat = t_context.seat;
    t_context = {.worker = this, .core = &core, .seat = seat};
    clockid_t clock = 0;
    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
        m_thread_clock.store(clock, std::memory_order_relaxed);
    }
    driver.store(seat, std::memory_order_release);
    set_scheduling_for(*this);
    core.watchdog->arm(*this);
    // What a stuck handler sent before its thread was displaced.
    flush_remote();
    unsigned turn = 0;
    auto end = LoopEnd::stopping;
    while (!core.is_stopping.load(std::memory_order_relaxed)) {
        if (m_returning.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
            hand_back();
            end = LoopEnd::handed_back;
            break;
        }
        run_loop_step(turn);
    }
    t_context = {.seat = seat};
    return end;
}

void Worker::hand_back() noexcept {
    Seat* const back = m_returning.load(std::memory_order_acquire);
    // Only this thread takes from the list; others put in front.
    Seat* expected = back;
    if (!m_returning.compare_exchange_strong(expected, back->next_returning, std::memory_order_acq_rel)) {
        Seat* before = expected;
        while (before->next_returning != back) {
            before = before->next_returning;
        }
        before->next_returning = back->next_returning;
    }
    driver.store(back, std::memory_order_release);
    t_context.seat->become_spare();
    back->drive(*this);
}

void Worker::offer_return(Seat& seat) noexcept {
    Seat* head = m_returning.load(std::memory_order_relaxed);
    do {
        seat.next_returning = head;
    } while (!m_returning.compare_exchange_weak(head, &seat, std::memory_order_seq_cst,
                                                std::memory_order_relaxed));
    wake();
}

void Worker::run_loop_step(unsigned& turn) {
    take_shared_work();
    if (++turn % turns_per_look == 0 && (timers.size() != 0 || !file_watches.empty())) {
        std::int64_t const now_ns = core.now_ns();
        fire_timers(now_ns);
        if (!file_watches.empty() && now_ns - m_last_file_poll_ns > file_poll_interval_ns) {
            poll_files(0);
        }
    }
    if (!single_worker && !m_queue.is_empty() && core.hungry_workers.load(std::memory_order_relaxed) != 0) {
        run_one_and_share();
    } else if (!run_one()) {
        idle();
    }
}

bool Worker::run_one() {
    Process* const process = m_is_simulated ? m_queue.pop_chosen(*core.chooser) : pick();
    if (process == nullptr) {
        return false;
    }
    run(*process);
    flush_remote(Outgoing::may_stay);
    return true;
}

Process* Worker::pick() {
    if (m_hot != nullptr &&
        (m_queue.is_empty() || (m_hot_streak < hot_streak_limit && !m_queue.has_high()))) {
        ++m_hot_streak;
        return std::exchange(m_hot, nullptr);
    }
    m_hot_streak = 0;
    return m_queue.pop();
}

void Worker::make_runnable(Process& process) {
    if (process.has(Process::is_runnable | Process::is_running)) {
        return;
    }
    process.flags |= Process::is_runnable;
    if (m_hot == nullptr && !m_is_simulated && process.priority == Priority::normal) {
        m_hot = &process;
        return;
    }
    m_queue.push_back(process);
}

void Worker::run(Process& process) {
    t_context.process = &process;
    running = &process;
    m_is_crowding = false;
    process.flags = (process.flags & ~Process::is_runnable) | Process::is_running;
    std::int64_t const started_ns = core.is_timing.load(std::memory_order_relaxed) ? core.now_ns() : 0;
    bool const has_ended = !run_messages(process);
    t_context.process = nullptr;
    running = nullptr;
    handling = nullptr;
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
            move_to_real_time_worker(process);
            return;
        }
    }
    bool const has_attention_left =
        process.has(Process::is_doomed | Process::needs_start) ||
        (process.has(Process::is_ready) && !process.has(Process::is_blocked)) ||
        (process.has(Process::stop_requested) &&
         (!process.has(Process::is_suspended) ||
          (process.has(Process::is_receiving) && !process.has(Process::is_terminating))));
    if (has_attention_left ||
        (process.mailbox_first != nullptr && !process.has(Process::is_suspended | Process::is_halted))) {
        process.flags |= Process::is_runnable;
        if (m_outgoing_since_ns != 0 && may_follow_receiver(process)) [[unlikely]] {
            Worker& receiver = *m_outgoing_target->owner.load(std::memory_order_acquire);
            flush_remote(); // What it sent from here goes before what it sends from there.
            hand_over_to(receiver, process);
        } else {
            m_queue.push_back(process);
        }
    }
}

void Worker::move_to_real_time_worker(Process& process) {
    flush_remote(); // What it sent from here goes before what it sends from there.
    process.flags = (process.flags & ~Process::is_moving) | Process::is_runnable;
    hand_over_to(*core.real_time_worker, process);
}

bool Worker::run_messages(Process& process) {
    unsigned budget = m_is_simulated ? 1 : messages_per_run;
    std::int64_t deadline_ns = 0;
    for (unsigned count = 1; count <= budget; ++count) {
        if (process.has(Process::needs_attention)) [[unlikely]] {
            Attention const attention = attend(*this, process);
            if (attention == Attention::ended) {
                return false;
            }
            if (attention == Attention::wait) {
                return true;
            }
            if (attention == Attention::again) {
                if (count % messages_per_look == 0 && is_run_too_long(deadline_ns)) {
                    return true;
                }
                continue;
            }
        }
        if (process.mailbox_first == nullptr) {
            if (process.remote.load(std::memory_order_relaxed) == nullptr) {
                return true;
            }
            (void)drain_remote(process);
            continue;
        }
        handle(*this, process, process.pop());
        if (m_is_crowding || (count % messages_per_look == 0 && is_run_too_long(deadline_ns))) [[unlikely]] {
            return true;
        }
        if (count == budget && is_crowded(process) && !m_is_simulated) [[unlikely]] {
            budget += messages_per_look; // Until it isn't any more, or its time is up.
        }
    }
    // A simulated step includes the end that its message asked for: one decision of the scheduler fewer.
    if (m_is_simulated && process.has(Process::stop_requested | Process::is_doomed)) {
        return attend(*this, process) != Attention::ended;
    }
    return true;
}

// Looked at from the eighth message on, so the clock is not read for a short run.
bool Worker::is_run_too_long(std::int64_t& deadline_ns) const noexcept {
    std::int64_t const now_ns = core.now_ns();
    if (deadline_ns == 0) {
        deadline_ns = now_ns + longest_run_ns;
    }
    return now_ns > deadline_ns;
}

void Worker::accept(Process& process, Envelope* envelope) {
    switch (envelope->ops->kind) {
    case EnvelopeKind::message:
        if (process.mailbox_length >= process.careful_from && envelope->ops->may_be_dropped &&
            !makes_room(process, *envelope)) [[unlikely]] {
            return;
        }
        enqueue(process, envelope);
        return;
    case EnvelopeKind::reply:
        accept_reply(*this, process, envelope);
        return;
    case EnvelopeKind::signal: {
        EnvelopeOwner const owner(envelope);
        envelope->ops->arrive(process, *envelope);
        return;
    }
    }
}

void Worker::enqueue(Process& process, Envelope* envelope) {
    process.append(envelope);
    if (is_crowded(process) && &process != t_context.process) [[unlikely]] {
        m_is_crowding = true;
    }
    if (!process.has(Process::is_runnable | Process::is_running | Process::is_suspended)) {
        make_runnable(process);
    } else if (process.has(Process::is_receiving) && is_awaited(process, *envelope)) [[unlikely]] {
        process.flags |= Process::is_ready;
        make_runnable(process);
    }
}

bool Worker::fire_timers(std::int64_t now_ns) {
    bool fired = false;
    while (TimerNode* const node = timers.pop_due(now_ns)) {
        node->fire(*node);
        fired = true;
    }
    constexpr std::size_t moved_per_look = 64;
    timers.prepare(moved_per_look);
    return fired;
}

Process& Worker::take_slot() {
    if (m_free_slots.empty()) {
        core.slots.take(*this, m_free_slots, 64);
    }
    Process& process = *m_free_slots.back();
    m_free_slots.pop_back();
    return process;
}

void Worker::give_slot(Process& process) noexcept {
    m_free_slots.push_back(&process);
    // A real-time worker makes none itself.
    std::size_t const most = is_real_time() ? 64 : 4096;
    if (m_free_slots.size() >= most) {
        core.slots.give(m_free_slots, most / 2);
    }
}

MessageTimer& Worker::take_timer() {
    if (m_free_timers == nullptr) {
        constexpr std::size_t slab_size = 256;
        m_timer_slabs.push_back(std::make_unique<MessageTimer[]>(slab_size));
        for (std::size_t i = 0; i < slab_size; ++i) {
            MessageTimer& timer = m_timer_slabs.back()[i];
            timer.next_timer = std::exchange(m_free_timers, &timer);
        }
    }
    return *std::exchange(m_free_timers, m_free_timers->next_timer);
}

void Worker::forget_timer(MessageTimer& timer, ExitReason const& reason) noexcept {
    std::atomic_ref(timer.sequence).store(0, std::memory_order_relaxed);
    (timer.previous_timer != nullptr ? timer.previous_timer->next_timer : timer.process->timers) =
        timer.next_timer;
    if (timer.next_timer != nullptr) {
        timer.next_timer->previous_timer = timer.previous_timer;
    }
    if (Envelope* const envelope = std::exchange(timer.envelope, nullptr)) {
        envelope->ops->discard(*envelope, reason);
        free_envelope(envelope);
    }
    timer.previous_timer = nullptr;
    timer.next_timer = std::exchange(m_free_timers, &timer);
}

} // namespace sinew::detail
