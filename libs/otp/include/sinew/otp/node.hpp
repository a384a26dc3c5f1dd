/// Node: the worker threads, clock, timers, names and processes of one running system.
///
/// Invariant: all processes of a node are gone when its destructor returns, and so is the memory of its messages.
/// An idle node makes no wake-ups, but for giving the memory of a burst back: a second after nobody needed more. A
/// process's record, 192 bytes, stays for the next process as long as the node lives.
/// Threading: a Node may be used from any thread; the thread that makes it has it as its current node.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/supervisor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sinew {

namespace log {
class Sink;
}
namespace testing {
class Simulation;
}
namespace detail {
class NodeCore;
}

/// What happens to handlers that keep their worker from its other processes. The report, a log line with the
/// level warning, names the process, the message and the stack. To note its stack the thread gets the signal
/// SIGURG: a system call in it may return EINTR.
struct StuckHandlers {
    /// What is done about them.
    enum class Policy : std::uint8_t {
        ignore,
        report,
        /// Another thread takes the worker over; the stuck one goes on at the lowest priority (SCHED_IDLE),
        /// and is reported if it does so for long. The process ends, if it is asked to, when its handler
        /// returns.
        replace
    };
    /// See Policy.
    Policy policy = Policy::replace;
    /// Processor time a handler may use in one go before it loses its worker.
    Duration limit = std::chrono::milliseconds(5);
    /// Time it may take in all before it is reported; if it blocks, it loses its worker then too.
    Duration report_after = std::chrono::milliseconds(100);
    /// The same for an init(), which may open devices; never less than `report_after`.
    Duration report_start_after = std::chrono::seconds(2);
    /// Threads in stuck handlers at most; then they are reported only.
    unsigned most_replaced = 128;
};

/// A worker of its own for processes that must react in time: set_real_time() brings a process there. Its
/// thread goes before all ordinary ones (SCHED_FIFO); it needs CAP_SYS_NICE or RLIMIT_RTPRIO. Without that
/// right a warning is logged, and it runs as an ordinary thread.
struct RealTimeWorker {
    /// From 1 to 99, as sched(7) counts; 0: the node has no such worker.
    int priority = 0;
    /// The processor it stays on, from 0; -1: any.
    int processor = -1;
};

/// How a Node is made.
struct NodeOptions {
    /// Scheduler threads; 0: one per processor this process may use. Libraries built with SINEW_SINGLE_WORKER
    /// always have one, and no real-time worker.
    unsigned workers = 0;
    /// Threads of the blocking pool at most; they are made when needed and end after 10 s without work.
    unsigned blocking_threads = 16;
    /// Work that waits for one of them at most. More is refused: blocking() answers with Error unavailable, so
    /// that whoever asks can try later, do less, or say so, instead of waiting unseen.
    unsigned blocking_queue = 4096;
    /// Where log lines go; default: standard error. Must outlive the node.
    log::Sink* log = nullptr;
    StuckHandlers stuck_handlers = {};
    RealTimeWorker real_time = {};
};

/// A running system; see the top of the file.
class Node {
public:
    /// Starts the worker threads. Throws std::system_error when the system refuses (threads, epoll, memory).
    explicit Node(NodeOptions options = {});
    /// Kills what still runs, and waits for it, also for a stuck handler. stop() the top supervisor first for
    /// an orderly end.
    ~Node();
    Node(Node const&) = delete;
    Node& operator=(Node const&) = delete;
    Node(Node&&) = delete;
    Node& operator=(Node&&) = delete;

    /// Starts an S and waits until its init() is done. Not inside a process (use start_link or spawn there).
    /// Errors: exists: the name is taken; timed_out: init() took longer than options.timeout; unavailable:
    /// init() failed (its Error's text) or was ended.
    template<typename S, typename... Arguments>
    [[nodiscard]] Result<ServerRef<S>> start(StartOptions options, Arguments&&... arguments) {
        TRY(Pid const pid, start_and_wait(detail::blueprint_for<S>(std::forward<Arguments>(arguments)...),
                                          detail::spawn_options<S>(std::move(options), false)));
        return ServerRef<S>(pid);
    }
    /// The same for an S without arguments.
    template<typename S>
    [[nodiscard]] Result<ServerRef<S>> start() {
        return start<S>(StartOptions{});
    }
    /// Starts a supervision tree and waits until it is up; a child that fails is an Error, and the rest is
    /// stopped.
    [[nodiscard]] Result<SupervisorRef> start(Supervisor tree);

    /// How many processes live. One that ended is not counted any more when others hear of it (Down, Exit, an
    /// answer); one that is ending may still be.
    [[nodiscard]] std::size_t process_count() const noexcept;
    /// Whether ProcessInfo::time_running counts: two looks at the clock each time a process has its turn.
    enum class Accounting : std::uint8_t { off, on };
    /// See Accounting.
    void account_time(Accounting accounting) noexcept;
    /// Scheduler threads, without the real-time one.
    [[nodiscard]] unsigned worker_count() const noexcept;
    /// For the library's own parts.
    [[nodiscard]] detail::NodeCore& core() noexcept { return *m_core; }

private:
    friend class testing::Simulation;
    /// A simulated node: no threads, virtual time.
    Node(std::uint64_t seed, log::Sink& sink);
    [[nodiscard]] Result<Pid> start_and_wait(std::shared_ptr<detail::Blueprint const> blueprint,
                                             detail::SpawnOptions options);
    std::unique_ptr<detail::NodeCore> m_core;
    Node* m_previous = nullptr;
};

/// Makes `node` the current node of this thread for a while.
class NodeScope {
public:
    /// Until it is destroyed.
    explicit NodeScope(Node& node) noexcept;
    ~NodeScope();
    NodeScope(NodeScope const&) = delete;
    NodeScope& operator=(NodeScope const&) = delete;
    NodeScope(NodeScope&&) = delete;
    NodeScope& operator=(NodeScope&&) = delete;

private:
    Node* m_previous;
};

} // namespace sinew
