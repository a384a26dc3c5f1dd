/// NodeCore: what a Node is made of: the process table, workers, names, clock and blocking pool.
///
/// Invariant: process records never move and are never unmapped while the node lives, so that any Pid can be
/// looked at. Threading: the table's readers don't lock; names and slots do.
#pragma once

#include "core/chooser.hpp"
#include "core/process.hpp"
#include "core/registry.hpp"
#include "core/report_limiter.hpp"
#include "core/slot_depot.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sinew::detail {

class BlockingPool;
class MessageHook;
class RunLoop;
class Seat;
class Watchdog;
class Worker;

class NodeCore {
public:
    struct Setup {
        NodeOptions options;
        /// Set for a simulation.
        std::optional<std::uint64_t> seed;
    };
    NodeCore(Node& owner, Setup const& setup);
    NodeCore(NodeCore const&) = delete;
    NodeCore& operator=(NodeCore const&) = delete;
    NodeCore(NodeCore&&) = delete;
    NodeCore& operator=(NodeCore&&) = delete;
    /// Kills all processes, and ends the threads.
    ~NodeCore();

    /// The record a Pid's index means, whoever lives there now; null: never used.
    [[nodiscard]] Process* find(Pid pid) const noexcept { return slots.find(pid); }
    [[nodiscard]] std::int64_t now_ns() const noexcept;
    /// A moment at most coarse_step_ns() ago, for a fifth of the price.
    [[nodiscard]] std::int64_t coarse_now_ns() const noexcept;
    [[nodiscard]] std::int64_t coarse_step_ns() const noexcept { return m_coarse_step_ns; }
    [[nodiscard]] bool is_simulated() const noexcept { return m_virtual_clock != nullptr; }
    [[nodiscard]] ManualClock& virtual_clock() noexcept { return *m_virtual_clock; }
    /// The worker an outside thread's new process goes to.
    [[nodiscard]] Worker& next_worker() noexcept {
        return *workers[m_next_worker.fetch_add(1, std::memory_order_relaxed) % ordinary_workers];
    }
    [[nodiscard]] std::uint64_t next_shared_sequence() noexcept {
        return m_shared_sequence.fetch_add(1, std::memory_order_relaxed);
    }
    void start_threads();
    /// Never less than there are; more only while some end.
    [[nodiscard]] std::size_t process_count() const noexcept;

    Node& node;
    log::Sink& sink;
    SlotDepot slots;
    /// Each with its worker.
    std::vector<std::unique_ptr<RunLoop>> loops;
    /// The real-time one, if there is one, is the last.
    std::vector<Worker*> workers;
    unsigned ordinary_workers = 0;
    RealTimeWorker real_time;
    Worker* real_time_worker = nullptr;
    Registry registry;
    ReportLimiter reports;
    /// Of a simulation, else null.
    Chooser* chooser = nullptr;
    std::shared_ptr<MessageHook> message_hook;
    std::unique_ptr<BlockingPool> blocking;
    /// None in a simulation.
    std::unique_ptr<Watchdog> watchdog;
    /// All threads that drive workers, or have; only the node's end takes one away.
    std::atomic<Seat*> seats{nullptr};
    /// Processes made by threads outside.
    std::atomic<std::uint64_t> spawned_outside{0};
    std::atomic<bool> is_stopping{false};
    /// Runs are timed (Node::account_time).
    std::atomic<bool> is_timing{false};
    /// Workers that have nothing to do. On a line of its own: it is read at each step.
    alignas(64) std::atomic<unsigned> idle_workers{0};
    /// In node_by_index().
    unsigned node_index = 0;

private:
    [[nodiscard]] std::uint64_t spawn_count() const noexcept;
    /// Until no process is left.
    void kill_all() noexcept;
    /// False: none was found alive.
    [[nodiscard]] bool kill_everyone() noexcept;
    /// Until no process is left, or none has ended for a while.
    void wait_while_ending() const noexcept;
    void drop_left_overs() noexcept;
    std::int64_t m_coarse_step_ns;
    std::unique_ptr<ManualClock> m_virtual_clock;
    std::atomic<unsigned> m_next_worker{0};
    std::atomic<std::uint64_t> m_shared_sequence{1};
};

/// Nodes are numbered so that an answer finds its node from any thread.
inline constexpr unsigned node_index_limit = 64;
/// Its number. Throws std::runtime_error when there are too many.
[[nodiscard]] unsigned claim_node_index(NodeCore& core);
void release_node_index(unsigned index) noexcept;
[[nodiscard]] NodeCore* node_by_index(unsigned index) noexcept;

} // namespace sinew::detail
