#include "scheduler/poll.hpp"

#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/delivery.hpp"
#include "process/file_watch.hpp"
#include "scheduler/balance.hpp"
#include "scheduler/hand_over.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <utility>

namespace sinew::detail {
namespace {

// The flag stays up while the list is taken: a free record doesn't change hands meanwhile (see SlotDepot).
void take_notified(Worker& worker, Process& process) {
    Worker* const owner = process.owner.load(std::memory_order_seq_cst);
    if (owner == &worker && take_remote_messages(worker, process)) {
        consider_following(worker, process);
    }
    process.is_notified.store(false, std::memory_order_seq_cst);
    if (owner != &worker || process.remote.load(std::memory_order_seq_cst) != nullptr) {
        process.owner.load(std::memory_order_seq_cst)->notify(process);
    }
}

} // namespace

bool take_shared_work(Worker& worker) {
    bool found = false;
    if (!worker.notified.is_empty()) {
        Process* list = worker.notified.take_all();
        while (list != nullptr) {
            Process& process = *std::exchange(list, list->next_notified);
            take_notified(worker, process);
        }
        found = true;
    }
    if (!worker.handed_over.is_empty()) {
        Process* list = worker.handed_over.take_all();
        while (list != nullptr) {
            Process& process = *std::exchange(list, list->next_runnable);
            adopt(worker, process);
        }
        found = true;
    }
    return found;
}

bool poll_files(Worker& worker, std::int64_t deadline_ns) {
    constexpr std::int64_t second_ns = 1'000'000'000;
    std::int64_t const now_ns = worker.core.now_ns();
    worker.poller.last_look_ns = now_ns;
    std::int64_t const wait_ns = std::max<std::int64_t>(deadline_ns == 0 ? 0 : deadline_ns - now_ns, 0);
    timespec const timeout{.tv_sec = wait_ns / second_ns, .tv_nsec = wait_ns % second_ns};
    std::array<epoll_event, 64> room{};
    auto const events = worker.poller.wait(room, deadline_ns == TimerWheel::never ? nullptr : &timeout);
    worker.rest.end();
    for (epoll_event const& event : events) {
        if (event.data.u64 == 0) {
            worker.poller.clear_wake();
        } else {
            deliver_file_event(worker, event.data.u64, event.events);
        }
    }
    return !events.empty();
}

bool fire_timers(Worker& worker, std::int64_t now_ns) {
    bool fired = false;
    while (TimerNode* const node = worker.timers.pop_due(now_ns)) {
        node->fire(*node);
        fired = true;
    }
    constexpr std::size_t moved_per_look = 64;
    worker.timers.prepare(moved_per_look);
    return fired;
}

} // namespace sinew::detail
