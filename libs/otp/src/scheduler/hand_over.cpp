#include "scheduler/hand_over.hpp"

#include "core/process.hpp"
#include "core/rest.hpp"
#include "core/single_worker.hpp"
#include "core/worker.hpp"
#include "messages/timers.hpp"

#include <atomic>

namespace sinew::detail {
namespace {

/// Taking each of its timers from one wheel to another would hold both workers up.
bool has_many_timers(Process const& process) noexcept {
    constexpr int many = 64;
    int count = 0;
    for (MessageTimer const* timer = process.timers; timer != nullptr && count < many; ++count) {
        timer = timer->next_timer;
    }
    return count == many;
}

} // namespace

bool is_pinned(Process const& process) noexcept {
    return process.is_real_time || has_many_timers(process) ||
           (process.extras != nullptr && !process.extras->file_watches.empty());
}

void give(Worker& worker, Worker& target, Process& process) {
    move_timers_out(worker, process);
    process.owner.store(&target, std::memory_order_release);
    target.handed_over.push(process);
}

void hand_over(Worker& worker, Worker& target, Process& process) {
    give(worker, target, process);
    target.wake();
}

void adopt(Worker& worker, Process& process) {
    take_timers_in(worker, process);
    worker.queue.push_back(process);
}

bool take_over(Worker& worker, Process& process, Pid pid) {
    if (single_worker || worker.queue.size() != 0) {
        return false;
    }
    Worker& other = *process.owner.load(std::memory_order_acquire);
    if (worker.is_real_time() || other.is_real_time()) {
        return false;
    }
    Rest::State before{};
    if (&other == &worker || !other.rest.borrow(before)) {
        return false;
    }
    constexpr auto busy = Process::is_runnable | Process::is_running | Process::needs_attention;
    bool const is_free_to_go = process.owner.load(std::memory_order_relaxed) == &other &&
                               process.identity.load(std::memory_order_relaxed) == pid.value() &&
                               !process.is_notified.load(std::memory_order_seq_cst) &&
                               !other.has_shared_work(std::memory_order_seq_cst) && !process.has(busy) &&
                               !is_pinned(process);
    if (is_free_to_go) {
        move_timers_out(other, process);
        process.remote_streak = 0;
        process.owner.store(&worker, std::memory_order_seq_cst);
    }
    other.rest.give_back(before);
    if (is_free_to_go) {
        take_timers_in(worker, process);
    }
    return is_free_to_go;
}

} // namespace sinew::detail
