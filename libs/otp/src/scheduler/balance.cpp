#include "scheduler/balance.hpp"

#include "core/node_core.hpp"
#include "core/outgoing.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "scheduler/hand_over.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
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
constexpr std::uint64_t turns_per_remote_message = 8;
constexpr std::int64_t shortest_pause_ns = 1'000'000;
constexpr std::int64_t longest_pause_ns = 256'000'000;

/// One that has nothing to do, and to which nobody else gives anything now; or null.
Worker* find_idle(Worker const& worker) {
    auto const found = std::ranges::find_if(worker.core.workers, [&worker](Worker* other) {
        return other != &worker && other->is_idle.load(std::memory_order_relaxed) &&
               other->is_idle.exchange(false, std::memory_order_acq_rel);
    });
    return found != worker.core.workers.end() ? *found : nullptr;
}

void give_half(Worker& worker, bool also_new) {
    Worker* const idle = find_idle(worker);
    if (idle == nullptr) {
        return;
    }
    std::size_t const count = worker.queue.in_line();
    for (std::size_t i = 0; i < count; ++i) {
        Process& process = *worker.queue.pop();
        if (i % 2 == 1 || is_pinned(process) || (process.has(Process::needs_start) && !also_new)) {
            worker.queue.push_back(process);
        } else {
            give(worker, *idle, process);
        }
    }
    idle->wake();
}

} // namespace

void Balance::share(Worker& worker, std::int64_t run_ns, std::int64_t now_ns) {
    bool const is_long = run_ns > long_run_ns;
    m_runs_to_measure = is_long ? 1 : runs_per_measure;
    // One long handler says nothing of those that wait.
    bool const are_long = std::exchange(m_was_run_long, is_long) && is_long;
    bool const are_many = run_ns * static_cast<std::int64_t>(worker.queue.in_line()) > long_backlog_ns;
    // Who has one process keeps it.
    bool const has_several = worker.queue.size() > 1;
    if (has_several && (are_long || are_many) && may_share(worker, now_ns)) {
        give_half(worker, are_long);
    }
}

// Processes that were given away and now talk to those that stayed cost more than they gain: they come back
// one by one, and the next ones have to wait, the longer the more often it happened.
bool Balance::may_share(Worker& worker, std::int64_t now_ns) noexcept {
    if (now_ns - m_shared_ns < m_pause_ns) {
        return false;
    }
    std::uint64_t const turns_since = worker.turns - m_turns_then;
    bool const was_costly = worker.remote_messages * turns_per_remote_message > turns_since;
    m_pause_ns = was_costly ? std::clamp(2 * m_pause_ns, shortest_pause_ns, longest_pause_ns) : 0;
    m_shared_ns = now_ns;
    m_turns_then = worker.turns;
    worker.remote_messages = 0;
    return !was_costly;
}

void consider_following(Worker& worker, Process& process) {
    std::uint8_t const sender = process.last_remote_sender.load(std::memory_order_relaxed);
    if (sender == 0 || sender == worker.index() + 1 || sender > worker.core.ordinary_workers ||
        sender != process.streak_sender) {
        process.streak_sender = sender;
        process.remote_streak = 0;
        return;
    }
    if (++process.remote_streak < follow_after || !worker.queue.is_next(process) ||
        process.has(Process::needs_start)) {
        return;
    }
    if (is_pinned(process)) {
        return;
    }
    process.remote_streak = 0;
    worker.queue.remove_next();
    hand_over(worker, *worker.core.workers[sender - 1U], process);
}

bool may_follow_receiver(Worker const& worker, Process const& process) noexcept {
    constexpr unsigned many = 64;
    constexpr std::int64_t longest_per_message_ns = 500;
    Outgoing const& outgoing = worker.outgoing;
    Worker const* const receiver = outgoing.target().owner.load(std::memory_order_acquire);
    return outgoing.count() >= many &&
           (worker.core.now_ns() - outgoing.flood_since_ns()) / outgoing.count() < longest_per_message_ns &&
           receiver != &worker && !receiver->is_real_time() && !is_pinned(process);
}

} // namespace sinew::detail
