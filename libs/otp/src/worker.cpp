#include "worker.hpp"

#include "context.hpp"
#include "kernel.hpp"
#include "node_core.hpp"

#include <sinew/base/file.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <system_error>
#include <utility>

namespace sinew::detail {
namespace {

constexpr int messages_per_run = 256;
constexpr unsigned hot_streak_limit = 64;
/// A handler this long is worth a wake-up of another worker.
constexpr std::int64_t long_run_ns = 20'000;
constexpr std::size_t long_queue = 512;
/// After so long another process has its turn.
constexpr std::int64_t longest_run_ns = 2'000'000;
constexpr std::int64_t spin_ns = 20'000;
constexpr std::int64_t file_poll_interval_ns = 500'000;
constexpr std::uint8_t follow_after = 16;
constexpr unsigned sequence_bits = 48;

void pause_briefly() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

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

} // namespace

Worker::Worker(NodeCore& node_core, unsigned worker_index, std::uint64_t seed)
    : core(node_core)
    , timers(node_core.now_ns())
    , m_index(worker_index)
    , m_is_simulated(node_core.is_simulated())
    , m_random(seed)
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

void Worker::run_loop() {
    t_context = {this, nullptr, &core};
    unsigned turn = 0;
    while (!core.is_stopping.load(std::memory_order_relaxed)) {
        run_loop_step(turn);
    }
    t_context = {};
}

void Worker::run_loop_step(unsigned& turn) {
    take_shared_work();
    if (++turn % 16 == 0) {
        std::int64_t const now_ns = core.now_ns();
        fire_timers(now_ns);
        if (!file_watches.empty() && now_ns - m_last_file_poll_ns > file_poll_interval_ns) {
            poll_files(0);
        }
    }
    if (m_queue_length != 0 && core.hungry_workers.load(std::memory_order_relaxed) != 0) {
        std::int64_t const before_ns = core.now_ns();
        run_one();
        share_backlog(core.now_ns() - before_ns);
    } else if (!run_one()) {
        idle();
    }
}

bool Worker::run_one() {
    Process* const process = m_is_simulated ? pick_random() : pick();
    if (process == nullptr) {
        return false;
    }
    run(*process);
    flush_remote();
    return true;
}

Process* Worker::pick() {
    if (m_hot != nullptr && (m_first == nullptr || m_hot_streak < hot_streak_limit)) {
        ++m_hot_streak;
        return std::exchange(m_hot, nullptr);
    }
    m_hot_streak = 0;
    Process* const process = m_first;
    if (process != nullptr) {
        m_first = process->next_runnable;
        --m_queue_length;
    }
    return process;
}

Process* Worker::pick_random() {
    if (m_first == nullptr) {
        return nullptr;
    }
    std::size_t skip = m_queue_length > 1 ? m_random() % m_queue_length : 0;
    Process** link = &m_first;
    Process* previous = nullptr;
    for (; skip != 0; --skip) {
        previous = *link;
        link = &previous->next_runnable;
    }
    Process* const process = *link;
    *link = process->next_runnable;
    if (process == m_last) {
        m_last = previous;
    }
    --m_queue_length;
    return process;
}

void Worker::push_back(Process& process) noexcept {
    process.flags |= Process::is_runnable;
    process.next_runnable = nullptr;
    if (m_first == nullptr) {
        m_first = &process;
    } else {
        m_last->next_runnable = &process;
    }
    m_last = &process;
    ++m_queue_length;
}

void Worker::make_runnable(Process& process) {
    if (process.has(Process::is_runnable | Process::is_running)) {
        return;
    }
    if (m_hot == nullptr && !m_is_simulated) {
        process.flags |= Process::is_runnable;
        m_hot = &process;
        return;
    }
    push_back(process);
}

void Worker::run(Process& process) {
    t_context.process = &process;
    process.flags = (process.flags & ~Process::is_runnable) | Process::is_running;
    int budget = m_is_simulated ? 1 : messages_per_run;
    std::int64_t started_ns = 0;
    for (; budget > 0; --budget) {
        if (process.has(Process::needs_attention)) [[unlikely]] {
            Attention const attention = attend(*this, process);
            if (attention == Attention::ended) {
                t_context.process = nullptr;
                return;
            }
            if (attention == Attention::wait) {
                break;
            }
            if (m_is_simulated) {
                continue;
            }
        }
        if (process.mailbox_first == nullptr) {
            if (process.remote.load(std::memory_order_relaxed) == nullptr) {
                break;
            }
            (void)drain_remote(process);
            continue;
        }
        handle(process, process.pop());
        if (budget % 8 == 0 && is_run_too_long(started_ns)) {
            break;
        }
    }
    t_context.process = nullptr;
    process.flags &= ~Process::is_running;
    bool const has_attention_left =
        process.has(Process::is_doomed | Process::needs_start | Process::is_ready) ||
        (process.has(Process::stop_requested) && !process.has(Process::is_suspended));
    if (has_attention_left || (process.mailbox_first != nullptr && !process.has(Process::is_suspended))) {
        push_back(process);
    }
}

// A run ends after a time, too: eight messages are the least, then two milliseconds.
bool Worker::is_run_too_long(std::int64_t& started_ns) const noexcept {
    std::int64_t const now_ns = core.now_ns();
    if (started_ns == 0) {
        started_ns = now_ns;
    }
    return now_ns - started_ns > longest_run_ns;
}

void Worker::accept(Process& process, Envelope* envelope) {
    switch (envelope->ops->kind) {
    case EnvelopeKind::message:
        enqueue(process, envelope);
        return;
    case EnvelopeKind::reply:
        accept_reply(*this, process, envelope);
        return;
    case EnvelopeKind::signal:
        envelope->ops->arrive(process, *envelope);
        free_envelope(envelope);
        return;
    }
}

void Worker::enqueue(Process& process, Envelope* envelope) {
    process.append(envelope);
    if (!process.has(Process::is_runnable | Process::is_running | Process::is_suspended)) {
        make_runnable(process);
    }
}

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
    bool is_for_the_living = false;
    while (in_order != nullptr) {
        Envelope* const envelope = std::exchange(in_order, in_order->next);
        if (envelope->target.value() == identity) {
            accept(process, envelope);
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
    }
    envelope->target = pid;
    envelope->next = m_outgoing_first;
    m_outgoing_first = envelope;
}

void Worker::flush_remote() {
    if (m_outgoing_target == nullptr) {
        return;
    }
    Process& process = *std::exchange(m_outgoing_target, nullptr);
    Envelope* const first = std::exchange(m_outgoing_first, nullptr);
    process.last_remote_sender.store(static_cast<std::uint8_t>(m_index + 1), std::memory_order_relaxed);
    Envelope* head = process.remote.load(std::memory_order_relaxed);
    do {
        m_outgoing_last->next = head;
    } while (!process.remote.compare_exchange_weak(head, first, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed));
    if (head == nullptr) {
        process.owner.load(std::memory_order_acquire)->notify(process);
    }
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
    if (m_is_sleeping.load(std::memory_order_seq_cst) &&
        m_is_sleeping.exchange(false, std::memory_order_seq_cst)) {
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

void Worker::adopt(Process& process) {
    for (MessageTimer* timer = process.timers; timer != nullptr; timer = timer->next_timer) {
        timers.add(*timer);
    }
    for (Pending* pending = process.pendings_first; pending != nullptr; pending = pending->next_pending) {
        if (pending->due_ns != TimerWheel::never) {
            timers.add(*pending);
        }
    }
    push_back(process);
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

bool Worker::fire_timers(std::int64_t now_ns) {
    bool fired = false;
    while (TimerNode* const node = timers.pop_due(now_ns)) {
        node->fire(*node);
        fired = true;
    }
    return fired;
}

// A process that hears only from one other worker moves there: talkers end up together.
void Worker::consider_following(Process& process) {
    std::uint8_t const sender = process.last_remote_sender.load(std::memory_order_relaxed);
    if (sender == 0 || sender == m_index + 1 || sender > core.workers.size() ||
        sender != process.streak_sender) {
        process.streak_sender = sender;
        process.remote_streak = 0;
        return;
    }
    if (++process.remote_streak < follow_after || m_hot != &process || process.has(Process::needs_start)) {
        return;
    }
    if (process.extras != nullptr && !process.extras->file_watches.empty()) {
        return;
    }
    process.remote_streak = 0;
    m_hot = nullptr;
    move_timers_out(process);
    Worker& target = *core.workers[sender - 1U];
    process.owner.store(&target, std::memory_order_release);
    target.hand_over(process);
    target.wake();
}

void Worker::share_backlog(std::int64_t last_run_ns) {
    if (last_run_ns > long_run_ns || m_queue_length > long_queue) {
        give_half();
    }
}

bool Worker::give_half() {
    auto const hungry = std::ranges::find_if(core.workers, [this](auto const& other) {
        return other.get() != this && other->m_is_hungry.load(std::memory_order_relaxed) &&
               other->m_is_hungry.exchange(false, std::memory_order_acq_rel);
    });
    if (hungry == core.workers.end()) {
        return false;
    }
    Worker& thief = **hungry;
    std::size_t const count = m_queue_length;
    for (std::size_t i = 0; i < count; ++i) {
        Process& process = *m_first;
        m_first = process.next_runnable;
        --m_queue_length;
        bool const is_pinned = process.extras != nullptr && !process.extras->file_watches.empty();
        if (is_pinned || i % 2 == 1) {
            push_back(process);
            continue;
        }
        move_timers_out(process);
        process.owner.store(&thief, std::memory_order_release);
        thief.hand_over(process);
    }
    thief.wake();
    return true;
}

void Worker::idle() {
    flush_remote();
    if (fire_timers(core.now_ns())) {
        return;
    }
    m_is_hungry.store(true, std::memory_order_relaxed);
    core.hungry_workers.fetch_add(1, std::memory_order_relaxed);
    if (!spin()) {
        m_is_sleeping.store(true, std::memory_order_seq_cst);
        if (m_notified.load(std::memory_order_seq_cst) == nullptr &&
            m_handed_over.load(std::memory_order_seq_cst) == nullptr &&
            !core.is_stopping.load(std::memory_order_seq_cst)) {
            poll_files(timers.next_due());
        }
        m_is_sleeping.store(false, std::memory_order_seq_cst);
    }
    core.hungry_workers.fetch_sub(1, std::memory_order_relaxed);
    m_is_hungry.store(false, std::memory_order_relaxed);
    fire_timers(core.now_ns());
}

// Spinning pays only while another worker is busy and may send something.
bool Worker::spin() noexcept {
    std::int64_t const until_ns = core.now_ns() + spin_ns;
    while (core.hungry_workers.load(std::memory_order_relaxed) < core.workers.size()) {
        for (int i = 0; i < 32; ++i) {
            if (m_notified.load(std::memory_order_relaxed) != nullptr ||
                m_handed_over.load(std::memory_order_relaxed) != nullptr) {
                return true;
            }
            pause_briefly();
        }
        if (core.now_ns() >= until_ns) {
            return false;
        }
    }
    return false;
}

bool Worker::poll_files(std::int64_t deadline_ns) {
    constexpr std::int64_t second_ns = 1'000'000'000;
    m_last_file_poll_ns = core.now_ns();
    std::int64_t const wait_ns =
        std::max<std::int64_t>(deadline_ns == 0 ? 0 : deadline_ns - m_last_file_poll_ns, 0);
    timespec const timeout{.tv_sec = wait_ns / second_ns, .tv_nsec = wait_ns % second_ns};
    std::array<epoll_event, 64> events{};
    int const count = epoll_pwait2(m_poller.get(), events.data(), static_cast<int>(events.size()),
                                   deadline_ns == TimerWheel::never ? nullptr : &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
        epoll_event const& event = events.at(static_cast<std::size_t>(i));
        if (event.data.u64 == 0) {
            std::uint64_t value = 0;
            (void)!read(m_wake_event.get(), &value, sizeof value);
        } else {
            deliver_file_event(event.data.u64, event.events);
        }
    }
    return count > 0;
}

void Worker::deliver_file_event(std::uint64_t watch_id, std::uint32_t events) {
    auto const found = file_watches.find(watch_id);
    if (found == file_watches.end()) {
        return;
    }
    FileWatchRecord const& watch = *found->second;
    FileReady const ready{.fd = watch.fd,
                          .readable = (events & EPOLLIN) != 0,
                          .writable = (events & EPOLLOUT) != 0,
                          .hung_up = (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0,
                          .priority = (events & EPOLLPRI) != 0};
    enqueue(*watch.process, make_file_message(ready, watch_id));
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
    if (m_free_slots.size() >= 1024) {
        core.slots.give(m_free_slots, 512);
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
