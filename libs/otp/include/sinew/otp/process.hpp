/// What a process can do: identify itself, link, monitor, exit, spawn, watch descriptors, wait, run blocking
/// work.
///
/// Invariant: state belongs to one process; these functions act for the process whose handler is running.
/// Threading: "in a process" means on a scheduler thread inside a handler; elsewhere those functions throw
/// std::logic_error. send(), cast() and exit(pid, reason) also work on other threads that have a current
/// node.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/detail/std_function.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/request.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

class Node;

/// The node this thread works for: a scheduler thread's, or the one made (or entered) last on this thread.
/// Throws std::logic_error when there is none.
[[nodiscard]] Node& current_node();

/// The process whose handler is running; the empty Pid outside.
[[nodiscard]] Pid self() noexcept;
/// The node's monotonic time: virtual in a simulation.
[[nodiscard]] MonotonicTime now();
/// Whether `pid` has not ended. On the way to a stale answer: true may be old news.
[[nodiscard]] bool is_alive(Pid pid);

/// Links this process with `pid`: when one ends, the other gets an exit signal with its reason. Linking
/// twice, or to itself, changes nothing. A process that is gone answers with an exit signal `noproc`.
void link(Pid pid);
/// Whether what waits in the mailbox is taken back, too.
enum class Flush : std::uint8_t { no, yes };
/// After it returns no exit signal of that link arrives. Flush::yes also takes an Exit that waits in the
/// mailbox.
void unlink(Pid pid, Flush flush = Flush::no);
/// Asks for one Down message when `pid` ends (at once, with noproc, when it is gone). Monitors stack.
MonitorRef monitor(Pid pid);
/// Ends a monitor and takes its Down out of the mailbox. Returns whether it was still armed.
bool demonitor(MonitorRef ref);
/// Exit signals become Exit messages (handle_info(Exit)); only `kill` still ends the process, and its
/// parent's exit.
void set_trap_exit(bool trap);
/// Sends an exit signal: `normal` is ignored by others unless they trap; `kill` can't be trapped.
void exit(Pid pid, ExitReason reason);
/// Ends the process whose handler runs, from any depth (by an exception: destructors run).
[[noreturn]] void exit_self(ExitReason reason);
/// Who goes first when several are runnable: all high ones before any other, a low one after eight normal
/// ones.
enum class Priority : std::uint8_t { low, normal, high };
/// From its next turn on. High is for processes that do little and must do it soon: they can starve the rest.
void set_priority(Priority priority);
/// From its next turn on this process runs on the node's real-time worker, for good: for little that must
/// happen in time. What it spawns does not. Errors: unsupported: the node has no such worker
/// (NodeOptions::real_time); invalid_argument: it watches descriptors already. In a simulation it changes
/// nothing.
[[nodiscard]] Result<> set_real_time();
/// A name for reports and listings; the default is the server's type.
void set_label(std::string label);
/// Gives back what the runtime keeps for this process and does not need now, before a long rest: room in its
/// lists of links and monitors, and the whole second part of its record when that is empty. What its state
/// holds is the server's own to give back.
void hibernate();
/// The pids linked to this process, oldest first.
[[nodiscard]] std::vector<Pid> links();

/// `co_await pause(1s)`: this process handles nothing meanwhile.
[[nodiscard]] Request<void> pause(Duration duration);

/// A message set for later. Copyable; cancelling an old one does nothing.
struct Timer {
    /// For the runtime.
    void* node = nullptr;
    /// Which one of that node's; 0: none.
    std::uint64_t sequence = 0;
};
/// Takes the message back. False: it had been sent or cancelled. Only the process that set it can.
bool cancel(Timer timer);
/// The time until the message is sent, or nothing when it has been sent or cancelled. Only for the process
/// that set it.
[[nodiscard]] std::optional<Duration> time_left(Timer timer);

/// What to watch a descriptor for.
enum class FileInterest : std::uint8_t { readable, writable, both, priority };

/// Watches a descriptor until destroyed; the process gets FileReady messages (handle_info(FileReady)).
/// Destroy it before the descriptor is closed. A process that watches stays on its worker.
class FileWatch {
public:
    FileWatch() = default;
    /// In a process. Errors: exists: watched already; denied: a regular file can't be watched (EPERM).
    [[nodiscard]] static Result<FileWatch> create(int fd, FileInterest interest = FileInterest::readable);
    FileWatch(FileWatch&& other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
        , m_id(other.m_id) {}
    FileWatch& operator=(FileWatch&& other) noexcept {
        if (this != &other) {
            close();
            m_fd = std::exchange(other.m_fd, -1);
            m_id = other.m_id;
        }
        return *this;
    }
    FileWatch(FileWatch const&) = delete;
    FileWatch& operator=(FileWatch const&) = delete;
    ~FileWatch() { close(); }
    /// The watched descriptor, or -1.
    [[nodiscard]] int fd() const noexcept { return m_fd; }
    /// Stops watching; a FileReady in the mailbox is dropped. Only in the process that made it.
    void close() noexcept;

private:
    FileWatch(int fd, std::uint64_t id) noexcept
        : m_fd(fd)
        , m_id(id) {}
    int m_fd = -1;
    std::uint64_t m_id = 0;
};

namespace detail {

/// Runs `work` on the blocking pool; it answers through the path.
void begin_blocking(std::function<void(ReplyPath&)> work, ReplyPath path);

template<typename T, typename F>
void run_blocking_work(F& function, ReplyPath& path) noexcept {
    try {
        if constexpr (std::is_void_v<T>) {
            function();
            path.answer(make_reply<void>(path));
        } else {
            path.answer(make_reply<T>(path, function()));
        }
    } catch (...) {
        path.fail(RequestFailure::work_threw,
                  ExitReason::from_exception(std::current_exception(), "blocking()"));
    }
}

/// A request that does not go to a process: `start` gets the path and answers it.
[[nodiscard]] RequestStart custom_request(std::function<void(ReplyPath)> start, RequestLabel label,
                                          std::optional<Duration> timeout);

} // namespace detail

/// Runs `function` on a thread of the blocking pool and answers with what it returns; an exception is an
/// Error, and so is a pool that has as much to do as it may (unavailable; NodeOptions::blocking_queue). In a
/// process; `co_await blocking(...)` or `blocking(...).then(...)`. In a simulation it runs at once, on this
/// thread.
template<typename F>
[[nodiscard]] auto blocking(F function) -> Request<std::invoke_result_t<F&>, is_safe_in_await<F>> {
    using T = std::invoke_result_t<F&>;
    auto shared = std::make_shared<F>(std::move(function));
    return Request<T, is_safe_in_await<F>>(detail::custom_request(
        [shared](detail::ReplyPath path) {
            detail::begin_blocking(
                [shared](detail::ReplyPath& to) { detail::run_blocking_work<T>(*shared, to); },
                std::move(path));
        },
        detail::RequestLabel{{}, "blocking work"}, std::nullopt));
}

/// Runs `work`, which must not throw, on the blocking pool, and nobody waits for it: what a destructor can do.
/// False: it was dropped, for the pool has as much to do as it may, there can be no thread, the node ends, or
/// this thread has none. Doesn't block. In a simulation it runs at once.
[[nodiscard]] bool run_in_background(std::function<void()> work);

/// For what must be done though it may block: work that run_in_background() doesn't take runs here, before this
/// returns, and work that a node's end takes from the pool's queue runs there. It must not throw.
void run_in_background_or_here(std::function<void()> work);

} // namespace sinew
