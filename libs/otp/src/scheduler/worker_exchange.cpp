// What workers leave each other: messages for each other's processes, and processes themselves.
#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/single_worker.hpp"
#include "scheduler/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sinew::detail {
namespace {

/// A handler this long is worth a wake-up of another worker; so is a backlog of short ones this long, for a
/// process that moves leaves its warm cache, and a wake-up across processors takes up to 80 µs.
constexpr std::int64_t long_run_ns = 20'000;
constexpr std::int64_t long_backlog_ns = 200'000;
/// While runs are short, one in so many is measured.
constexpr unsigned runs_per_measure = 16;
constexpr std::uint8_t follow_after = 16;
/// One message from another worker in so many handlers is too many.
constexpr std::uint64_t dear_crossings = 8;
constexpr std::int64_t shortest_pause_ns = 1'000'000;
constexpr std::int64_t longest_pause_ns = 256'000'000;

template<Process* Process::* Next>
Process* reversed(Process* list) noexcept {
    Process* result = nullptr;
    while (list != nullptr) {
        Process* const next = list->*Next;
        list->*Next = result;
        result = list;
        list = next;
    }
    return result;
}

template<Process* Process::* Next>
void push_shared(std::atomic<Process*>& list, Process& process) noexcept {
    Process* head = list.load(std::memory_order_relaxed);
    do {
        process.*Next = head;
    } while (
        !list.compare_exchange_weak(head, &process, std::memory_order_seq_cst, std::memory_order_relaxed));
}

/// Taking each of its timers from one wheel to another would hold both workers up.
bool has_many_timers(Process const& process) noexcept {
    constexpr int many = 64;
    int count = 0;
    for (MessageTimer const* timer = process.timers; timer != nullptr && count < many; ++count) {
        timer = timer->next_timer;
    }
    return count == many;
}

/// A process that watches descriptors stays with its worker's poller.
bool is_pinned(Process const& process) noexcept {
    return process.is_real_time || has_many_timers(process) ||
           (process.extras != nullptr && !process.extras->file_watches.empty());
}

} // namespace

bool Worker::drain_remote(Process& process) {
    Envelope* list = process.remote.exchange(nullptr, std::memory_order_seq_cst);
    Envelope* in_order = nullptr;
    while (list != nullptr) {
        Envelope* const next = list->next;
        list->next = in_order;
        in_order = list;
        list = next;
    }
    std::uint64_t const identity = process.identity.load(std::memory_order_relaxed);
    std::uint32_t under_way = process.messages_under_way.load(std::memory_order_relaxed);
    bool is_for_the_living = false;
    while (in_order != nullptr) {
        Envelope* const envelope = std::exchange(in_order, in_order->next);
        if (under_way != 0 && envelope->ops->may_be_dropped) {
            --under_way; // Only here they become fewer.
            process.messages_under_way.fetch_sub(1, std::memory_order_relaxed);
        }
        if (envelope->target.value() == identity) {
            accept(process, envelope);
            ++m_crossings;
            is_for_the_living = true;
        } else {
            bounce(envelope);
        }
    }
    return is_for_the_living;
}

void Worker::send_remote(Process& process, Pid pid, Envelope* envelope) {
    if (m_outgoing_target != &process) {
        flush_remote();
        m_outgoing_target = &process;
        m_outgoing_last = envelope;
        m_outgoing_count = 0;
        if (is_crowded(process)) [[unlikely]] {
            m_outgoing_since_ns = core.now_ns();
            m_is_crowding = true;
        }
    }
    ++m_outgoing_count;
    envelope->target = pid;
    envelope->next = m_outgoing_first;
    m_outgoing_first = envelope;
}

void Worker::flush_remote(Outgoing outgoing) {
    if (m_outgoing_target == nullptr) {
        return;
    }
    Process& process = *std::exchange(m_outgoing_target, nullptr);
    m_outgoing_since_ns = 0;
    Envelope* const first = std::exchange(m_outgoing_first, nullptr);
    bool const is_here = outgoing == Outgoing::may_stay && take_over(process, first->target);
    process.last_remote_sender.store(static_cast<std::uint8_t>(m_index + 1), std::memory_order_relaxed);
    Envelope* head = process.remote.load(std::memory_order_relaxed);
    do {
        m_outgoing_last->next = head;
    } while (!process.remote.compare_exchange_weak(head, first, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed));
    if (is_here) {
        (void)drain_remote(process);
    } else if (head == nullptr) {
        process.owner.load(std::memory_order_acquire)->notify(process);
    }
}

// Whoever has nothing to do lets others have its processes: cheaper than a wake-up across processors, which
// takes up to 80 µs, and both talkers are in one place from then on.
bool Worker::take_over(Process& process, Pid pid) {
    if (single_worker || !m_queue.is_empty() || m_hot != nullptr) {
        return false;
    }
    Worker& other = *process.owner.load(std::memory_order_acquire);
    if (is_real_time() || other.is_real_time()) {
        return false;
    }
    Rest rest = other.m_rest.load(std::memory_order_relaxed);
    if (&other == this || (rest != Rest::spinning && rest != Rest::asleep) ||
        !other.m_rest.compare_exchange_strong(rest, Rest::visited, std::memory_order_seq_cst)) {
        return false;
    }
    constexpr auto busy = Process::is_runnable | Process::is_running | Process::needs_attention;
    bool const is_free_to_go = process.owner.load(std::memory_order_relaxed) == &other &&
                               process.identity.load(std::memory_order_relaxed) == pid.value() &&
                               !process.is_notified.load(std::memory_order_seq_cst) &&
                               !other.has_shared_work() && !process.has(busy) && !is_pinned(process);
    if (is_free_to_go) {
        other.move_timers_out(process);
        process.remote_streak = 0;
        process.owner.store(this, std::memory_order_seq_cst);
    }
    other.m_rest.store(rest, std::memory_order_seq_cst);
    if (is_free_to_go) {
        take_timers_in(process);
    }
    return is_free_to_go;
}

void Worker::notify(Process& process) noexcept {
    if (process.is_notified.exchange(true, std::memory_order_seq_cst)) {
        return;
    }
    push_shared<&Process::next_notified>(m_notified, process);
    wake();
}

void Worker::hand_over(Process& process) noexcept {
    push_shared<&Process::next_runnable>(m_handed_over, process);
}

void Worker::wake() noexcept {
    Rest rest = Rest::asleep;
    if (m_rest.load(std::memory_order_seq_cst) >= Rest::asleep &&
        (m_rest.compare_exchange_strong(rest, Rest::awake, std::memory_order_seq_cst) ||
         rest == Rest::visited)) {
        std::uint64_t const one = 1;
        (void)!write(m_wake_event.get(), &one, sizeof one);
    }
}

bool Worker::take_shared_work() {
    bool found = false;
    if (m_notified.load(std::memory_order_relaxed) != nullptr) {
        Process* list =
            reversed<&Process::next_notified>(m_notified.exchange(nullptr, std::memory_order_seq_cst));
        while (list != nullptr) {
            Process& process = *std::exchange(list, list->next_notified);
            take_notified(process);
        }
        found = true;
    }
    if (m_handed_over.load(std::memory_order_relaxed) != nullptr) {
        Process* list =
            reversed<&Process::next_runnable>(m_handed_over.exchange(nullptr, std::memory_order_seq_cst));
        while (list != nullptr) {
            Process& process = *list;
            list = process.next_runnable;
            adopt(process);
        }
        found = true;
    }
    return found;
}

// The flag stays up while the list is taken: a free record doesn't change hands meanwhile (see SlotDepot).
void Worker::take_notified(Process& process) {
    Worker* const owner = process.owner.load(std::memory_order_seq_cst);
    if (owner == this && drain_remote(process)) {
        consider_following(process);
    }
    process.is_notified.store(false, std::memory_order_seq_cst);
    if (owner != this || process.remote.load(std::memory_order_seq_cst) != nullptr) {
        process.owner.load(std::memory_order_seq_cst)->notify(process);
    }
}

void Worker::take_timers_in(Process& process) {
    for (MessageTimer* timer = process.timers; timer != nullptr; timer = timer->next_timer) {
        timers.add(*timer);
    }
    for (Pending* pending = process.pendings_first; pending != nullptr; pending = pending->next_pending) {
        if (pending->due_ns != TimerWheel::never) {
            timers.add(*pending);
        }
    }
}

void Worker::adopt(Process& process) {
    take_timers_in(process);
    m_queue.push_back(process);
}

void Worker::move_timers_out(Process& process) noexcept {
    for (MessageTimer* timer = process.timers; timer != nullptr; timer = timer->next_timer) {
        timers.remove(*timer);
    }
    for (Pending* pending = process.pendings_first; pending != nullptr; pending = pending->next_pending) {
        if (pending->is_armed()) {
            timers.remove(*pending);
        } else {
            pending->due_ns = TimerWheel::never;
        }
    }
}

// A process that hears only from one other worker moves there: talkers end up together.
void Worker::consider_following(Process& process) {
    std::uint8_t const sender = process.last_remote_sender.load(std::memory_order_relaxed);
    if (sender == 0 || sender == m_index + 1 || sender > core.ordinary_workers ||
        sender != process.streak_sender) {
        process.streak_sender = sender;
        process.remote_streak = 0;
        return;
    }
    if (++process.remote_streak < follow_after || m_hot != &process || process.has(Process::needs_start)) {
        return;
    }
    if (is_pinned(process)) {
        return;
    }
    process.remote_streak = 0;
    m_hot = nullptr;
    hand_over_to(*core.workers[sender - 1U], process);
}

// A process that does little else than to fill the mailbox of another worker's gains nothing from a processor
// of its own: beside its receiver, it waits while that one catches up.
bool Worker::may_follow_receiver(Process const& process) const noexcept {
    constexpr unsigned many = 64;
    constexpr std::int64_t longest_per_message_ns = 500;
    Worker const* const receiver = m_outgoing_target->owner.load(std::memory_order_acquire);
    return m_outgoing_count >= many &&
           (core.now_ns() - m_outgoing_since_ns) / m_outgoing_count < longest_per_message_ns &&
           receiver != this && !receiver->is_real_time() && !is_pinned(process);
}

void Worker::hand_over_to(Worker& target, Process& process) {
    move_timers_out(process);
    process.owner.store(&target, std::memory_order_release);
    target.hand_over(process);
    target.wake();
}

void Worker::run_one_and_share() {
    if (--m_runs_to_measure > 0) {
        (void)run_one();
        return;
    }
    std::int64_t const before_ns = core.now_ns();
    (void)run_one();
    std::int64_t const run_ns = core.now_ns() - before_ns;
    bool const is_long = run_ns > long_run_ns;
    m_runs_to_measure = is_long ? 1 : runs_per_measure;
    // One long handler says nothing of those that wait.
    bool const are_long = std::exchange(m_was_run_long, is_long) && is_long;
    bool const are_many = run_ns * static_cast<std::int64_t>(m_queue.size()) > long_backlog_ns;
    // Who has one process keeps it.
    bool const has_several = m_queue.size() + (m_hot != nullptr ? 1 : 0) > 1;
    if (has_several && (are_long || are_many) && may_share(before_ns + run_ns)) {
        give_half(are_long);
    }
}

// Processes that were given away and now talk to those that stayed cost more than they gain: they come back
// one by one, and the next ones have to wait, the longer the more often it happened.
bool Worker::may_share(std::int64_t now_ns) noexcept {
    if (now_ns - m_shared_ns < m_sharing_pause_ns) {
        return false;
    }
    std::uint64_t const turns_since = turns - m_shared_turns;
    bool const was_dear = m_crossings * dear_crossings > turns_since;
    m_sharing_pause_ns =
        was_dear ? std::clamp(2 * m_sharing_pause_ns, shortest_pause_ns, longest_pause_ns) : 0;
    m_shared_ns = now_ns;
    m_shared_turns = turns;
    m_crossings = 0;
    return !was_dear;
}

void Worker::give_half(bool also_new) {
    auto const hungry = std::ranges::find_if(core.workers, [this](auto const& other) {
        return other.get() != this && other->m_is_hungry.load(std::memory_order_relaxed) &&
               other->m_is_hungry.exchange(false, std::memory_order_acq_rel);
    });
    if (hungry == core.workers.end()) {
        return;
    }
    Worker& thief = **hungry;
    std::size_t const count = m_queue.size();
    for (std::size_t i = 0; i < count; ++i) {
        Process& process = *m_queue.pop();
        if (i % 2 == 1 || is_pinned(process) || (process.has(Process::needs_start) && !also_new)) {
            m_queue.push_back(process);
            continue;
        }
        move_timers_out(process);
        process.owner.store(&thief, std::memory_order_release);
        thief.hand_over(process);
    }
    thief.wake();
}

} // namespace sinew::detail
