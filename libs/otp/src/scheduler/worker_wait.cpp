// How a worker waits: a short spin, then epoll with its next timer as the limit; and the descriptors it
// watches.
#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "scheduler/watchdog.hpp"
#include "scheduler/worker.hpp"

#include <sinew/otp/messages.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>

namespace sinew::detail {
namespace {

constexpr std::int64_t spin_ns = 20'000;

void pause_briefly() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

} // namespace

void Worker::idle() {
    flush_remote();
    constexpr std::size_t moved_when_idle = 1024;
    if (fire_timers(core.now_ns()) || timers.prepare(moved_when_idle)) {
        return;
    }
    if (is_real_time()) {
        sleep(); // A spinning thread of this kind would hold up all others.
        fire_timers(core.now_ns());
        return;
    }
    m_is_hungry.store(true, std::memory_order_relaxed);
    core.hungry_workers.fetch_add(1, std::memory_order_relaxed);
    if (!spin()) {
        sleep();
    }
    core.hungry_workers.fetch_sub(1, std::memory_order_relaxed);
    m_is_hungry.store(false, std::memory_order_relaxed);
    m_runs_to_measure = 1;
    fire_timers(core.now_ns());
}

bool Worker::has_shared_work() const noexcept {
    return m_notified.load(std::memory_order_seq_cst) != nullptr ||
           m_handed_over.load(std::memory_order_seq_cst) != nullptr ||
           m_returning.load(std::memory_order_seq_cst) != nullptr;
}

void Worker::sleep() {
    core.watchdog->disarm(*this);
    std::int64_t const deadline_ns = timers.next_due();
    m_rest.store(Rest::asleep, std::memory_order_seq_cst);
    if (!has_shared_work() && !core.is_stopping.load(std::memory_order_seq_cst)) {
        poll_files(deadline_ns);
    }
    end_rest();
    core.watchdog->arm(*this);
}

void Worker::end_rest() noexcept {
    Rest rest = m_rest.load(std::memory_order_seq_cst);
    while (rest != Rest::awake) {
        if (rest == Rest::visited) {
            pause_briefly();
            rest = m_rest.load(std::memory_order_seq_cst);
        } else if (m_rest.compare_exchange_weak(rest, Rest::awake, std::memory_order_seq_cst)) {
            return;
        }
    }
}

// Spinning pays only while another worker is busy and may send something.
bool Worker::spin() noexcept {
    std::int64_t const until_ns = core.now_ns() + spin_ns;
    m_rest.store(Rest::spinning, std::memory_order_seq_cst);
    bool found = false;
    while (!found && core.hungry_workers.load(std::memory_order_relaxed) < core.ordinary_workers) {
        for (int i = 0; i < 32 && !found; ++i) {
            found = m_notified.load(std::memory_order_relaxed) != nullptr ||
                    m_handed_over.load(std::memory_order_relaxed) != nullptr ||
                    m_returning.load(std::memory_order_relaxed) != nullptr;
            pause_briefly();
        }
        if (core.now_ns() >= until_ns) {
            break;
        }
    }
    end_rest();
    return found;
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
    end_rest();
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

} // namespace sinew::detail
