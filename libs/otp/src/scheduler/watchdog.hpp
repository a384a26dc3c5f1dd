/// Watchdog: notices handlers that run too long, reports them, and gives their workers to other threads.
///
/// A handler can't be stopped. When one has used its thread's processor time for `limit` (or has blocked for
/// `report_after`), the thread is displaced: it goes on with the handler alone, at the lowest priority,
/// while another drives the worker. What the handler then sends still goes out; when it returns, or asks for
/// something of its process, it waits for its worker. Invariant: an idle node makes no wake-ups: a worker
/// arms its timer when it wakes and disarms it before it sleeps. Threading: one thread of its own.
#pragma once

#include "scheduler/seat.hpp"

#include <sinew/base/file.hpp>
#include <sinew/otp/node.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sinew::detail {

class NodeCore;
class RunLoop;

class Watchdog {
public:
    Watchdog(NodeCore& core, StuckHandlers options);
    Watchdog(Watchdog const&) = delete;
    Watchdog& operator=(Watchdog const&) = delete;
    Watchdog(Watchdog&&) = delete;
    Watchdog& operator=(Watchdog&&) = delete;
    ~Watchdog();

    /// Makes a thread for each worker, and its own. Throws std::system_error.
    void start();
    /// After the node's processes have ended: ends all threads.
    void stop() noexcept;

    /// Threads that are displaced now.
    [[nodiscard]] std::size_t displaced_count() const noexcept;

private:
    struct Watched {
        RunLoop* loop = nullptr;
        Seat* seat = nullptr;
        std::uint64_t turns = 0;
        std::int64_t since_ns = 0;
        std::int64_t cpu_ns = 0;
        bool is_reported = false;
    };
    void run();
    void look(Watched& watched);
    /// A handler that runs without its worker, and was not reported yet.
    struct Displaced {
        Seat* seat = nullptr;
        std::string description;
        /// When it left its worker.
        std::vector<void*> stack;
        /// When it is to be reported.
        std::int64_t due_ns = 0;
    };
    [[nodiscard]] std::int64_t report_after_ns(Watched const& watched) const noexcept;
    void remember(Watched const& watched);
    void report_overdue();
    /// For epoll_wait(2).
    [[nodiscard]] int milliseconds_to_next_report() const;
    /// What a report says before the stack.
    [[nodiscard]] std::string description(Watched const& watched) const;
    /// A thread that waits for a worker, made for the loop's if there is none. Null: none can be had.
    [[nodiscard]] Seat* spare_seat(RunLoop& loop);
    /// Puts another thread on the worker.
    void replace(Watched& watched);

    NodeCore& m_core;
    StuckHandlers m_options;
    FileDescriptor m_poller;
    FileDescriptor m_stop_event;
    std::vector<Watched> m_watched;
    std::vector<std::unique_ptr<Seat>> m_seats;
    std::vector<Displaced> m_displaced;
    std::thread m_thread;
};

} // namespace sinew::detail
