/// Worker: what belongs to one scheduler thread: runnable processes, timers, memory, watched descriptors, and
/// what others leave for it.
///
/// Invariant: a process is in at most one run queue, its owner's. Only the owner gives a process away,
/// between messages; while a worker rests, another may act as the owner (Rest). Threading: one thread drives
/// a worker; what others may touch says so.
#pragma once

#include "core/block_pool.hpp"
#include "core/outgoing.hpp"
#include "core/poller.hpp"
#include "core/process.hpp"
#include "core/published.hpp"
#include "core/rest.hpp"
#include "core/run_queue.hpp"
#include "core/shared_list.hpp"
#include "core/timer_pool.hpp"
#include "core/timer_wheel.hpp"
#include "core/watch_timer.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

namespace sinew::detail {

class NodeCore;
class Seat;

class Worker {
public:
    /// Throws std::system_error.
    Worker(NodeCore& node_core, unsigned worker_index);
    Worker(Worker const&) = delete;
    Worker& operator=(Worker const&) = delete;
    Worker(Worker&&) = delete;
    Worker& operator=(Worker&&) = delete;
    ~Worker();

    /// Sends to a process of another worker; goes out at the end of the handler at the latest.
    void send_remote(Process& process, Pid pid, Envelope* envelope);
    /// What was sent goes out.
    void flush_remote() {
        if (!outgoing.is_empty()) {
            put_outgoing_down();
        }
    }
    /// A free record for a process that begins here.
    [[nodiscard]] Process& take_slot();
    void give_slot(Process& process) noexcept;
    [[nodiscard]] std::uint64_t next_sequence() noexcept { return m_next_sequence++; }

    [[nodiscard]] unsigned index() const noexcept { return m_index; }
    [[nodiscard]] bool is_simulated() const noexcept { return m_is_simulated; }
    /// Only processes that asked for it run here, and they stay; no other worker borrows it.
    [[nodiscard]] bool is_real_time() const noexcept;
    /// Whether others have left something for it.
    [[nodiscard]] bool has_shared_work(std::memory_order order) const noexcept {
        return !notified.is_empty(order) || !handed_over.is_empty(order) || returning.load(order) != nullptr;
    }

    // Any thread.

    /// `process` has remote messages: it takes them in, woken if it sleeps.
    void notify(Process& process) noexcept {
        if (!process.is_notified.exchange(true, std::memory_order_seq_cst)) {
            notified.push(process);
            wake();
        }
    }
    void wake() noexcept {
        if (rest.interrupt()) {
            poller.wake();
        }
    }
    /// Processor time its thread has used.
    [[nodiscard]] std::int64_t busy_ns() const noexcept;
    /// It sleeps, and nobody has left it anything. For tests.
    [[nodiscard]] bool is_settled() const noexcept {
        return rest.is_asleep() && notified.is_empty(std::memory_order_seq_cst) &&
               handed_over.is_empty(std::memory_order_seq_cst);
    }

    NodeCore& core;
    RunQueue queue;
    BlockPools blocks;
    /// See scheduler/give_back.hpp.
    struct MemoryWatch {
        /// So many chains had been taken from the depots, and none since.
        std::uint64_t takes = 0;
        std::int64_t since_ns = 0;
        bool is_giving = false;
    };
    MemoryWatch memory_watch;
    TimerWheel timers;
    TimerPool timer_pool;
    Poller poller;
    WatchTimer watch_timer;
    Outgoing outgoing;
    /// The running process sends more than is handled: its receiver's turn comes first.
    bool is_flooding = false;
    /// Messages that came from other workers' processes.
    std::uint64_t remote_messages = 0;

    /// The thread that drives it.
    std::atomic<Seat*> driver{nullptr};

    // Any thread reads these.

    /// The process that runs, and the message it handles (null: something else than a message).
    Published<Process*> running;
    Published<MessageOps const*> handling;
    /// Since when `running` does, while runs are timed; else 0.
    Published<std::int64_t> running_since_ns;
    /// Handlers begun.
    Published<std::uint64_t> turns;
    /// Processes it made, and processes that ended here, ever.
    Published<std::uint64_t> spawned;
    Published<std::uint64_t> ended;

private:
    void put_outgoing_down();

    unsigned m_index;
    bool m_is_simulated;
    std::uint64_t m_next_sequence;
    std::vector<Process*> m_free_slots;

public:
    // Others write here: on lines of its own.

    /// Processes with remote messages.
    alignas(64) SharedList<&Process::next_notified> notified;
    /// Runnable ones that are this worker's from now on.
    SharedList<&Process::next_runnable> handed_over;
    /// Threads that want it back, newest first.
    std::atomic<Seat*> returning{nullptr};
    Rest rest;
    /// It has nothing to run, and nobody has given it anything yet.
    std::atomic<bool> is_idle{false};
    /// The clock of the thread that drives it; 0: none does.
    std::atomic<clockid_t> thread_clock{0};
};

} // namespace sinew::detail
