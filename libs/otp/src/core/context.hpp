/// Context: which worker, process and node this thread is acting for; and whether it is in a user's handler.
///
/// Invariant: a thread loses its worker only between two calls into the runtime, in a handler that ran too
/// long (see scheduler/watchdog.hpp). What touches the worker or the process therefore opens a RuntimeScope
/// or a ProcessScope. Threading: one context per thread. The worker and process are set only on scheduler
/// threads (in a simulation: always on the thread that made it).
#pragma once

#include <atomic>
#include <utility>

namespace sinew {
class ExitReason;
class Node;
} // namespace sinew

namespace sinew::detail {

class NodeCore;
struct Process;
class Seat;
class Worker;

struct Context {
    /// Null on other threads, and on one whose worker was given to another while its handler is stuck.
    Worker* worker = nullptr;
    Process* process = nullptr;
    NodeCore* core = nullptr;
    /// Set on scheduler threads.
    Seat* seat = nullptr;
    /// The thread is in a user's handler and not in a call of the runtime that the handler made.
    bool is_in_handler = false;
    /// It is to lose its worker as soon as it is back in the handler.
    bool must_leave = false;
    /// Set while what a process leaves behind is destroyed: what unanswered calls are answered with.
    ExitReason const* dying_reason = nullptr;
};
extern constinit thread_local Context t_context;

/// The process whose handler runs, with its worker; throws std::logic_error naming `function` outside a
/// process.
[[nodiscard]] Process& require_process(char const* function);
[[nodiscard]] NodeCore& require_core();

/// Leaves the worker to another thread, if this one has it. In a handler. Async-signal-safe.
void leave_worker() noexcept;
/// Waits until the process's worker belongs to this thread again.
void take_worker_back() noexcept;
inline void ensure_worker() noexcept {
    if (t_context.worker == nullptr && t_context.seat != nullptr) [[unlikely]] {
        take_worker_back();
    }
}

/// While it exists, the thread keeps its worker, if it has it.
class RuntimeScope {
public:
    RuntimeScope() noexcept
        : m_was_in_handler(std::exchange(t_context.is_in_handler, false)) {
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    RuntimeScope(RuntimeScope const&) = delete;
    RuntimeScope& operator=(RuntimeScope const&) = delete;
    RuntimeScope(RuntimeScope&&) = delete;
    RuntimeScope& operator=(RuntimeScope&&) = delete;
    ~RuntimeScope() {
        if (m_was_in_handler) {
            std::atomic_signal_fence(std::memory_order_seq_cst);
            t_context.is_in_handler = true;
            std::atomic_signal_fence(std::memory_order_seq_cst);
            if (t_context.must_leave) [[unlikely]] {
                leave_worker();
            }
        }
    }

private:
    bool m_was_in_handler;
};

/// A RuntimeScope of a process that has its worker.
class ProcessScope {
public:
    explicit ProcessScope(char const* function)
        : m_process(require_process(function)) {}
    [[nodiscard]] Process& process() const noexcept { return m_process; }

private:
    RuntimeScope m_scope;
    Process& m_process;
};

/// While it exists, what a process leaves behind is destroyed on this thread.
class DyingScope {
public:
    explicit DyingScope(ExitReason const& reason) noexcept { t_context.dying_reason = &reason; }
    DyingScope(DyingScope const&) = delete;
    DyingScope& operator=(DyingScope const&) = delete;
    DyingScope(DyingScope&&) = delete;
    DyingScope& operator=(DyingScope&&) = delete;
    ~DyingScope() { t_context.dying_reason = nullptr; }
};

/// While it exists, a user's code runs. Afterwards the thread has its worker.
class HandlerScope {
public:
    HandlerScope() noexcept {
        t_context.must_leave = false;
        std::atomic_signal_fence(std::memory_order_seq_cst);
        t_context.is_in_handler = true;
    }
    HandlerScope(HandlerScope const&) = delete;
    HandlerScope& operator=(HandlerScope const&) = delete;
    HandlerScope(HandlerScope&&) = delete;
    HandlerScope& operator=(HandlerScope&&) = delete;
    ~HandlerScope() {
        t_context.is_in_handler = false;
        std::atomic_signal_fence(std::memory_order_seq_cst);
        t_context.must_leave = false;
        ensure_worker();
    }
};

} // namespace sinew::detail
