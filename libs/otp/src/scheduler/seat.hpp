/// Seat: a scheduler thread, and its right to drive a worker.
///
/// Invariant: exactly one seat drives a worker. A thread whose handler is stuck is displaced: another seat
/// drives its worker meanwhile, and gives it back between two handlers when the stuck one returns; then that
/// other seat is spare. Threading: its own, but for what any thread may call.
#pragma once

#include "core/published.hpp"

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace sinew::detail {

struct MessageOps;
struct Process;
class RunLoop;
class Worker;

class Seat {
public:
    enum class State : std::uint8_t {
        /// Its thread runs the worker's loop.
        driving,
        /// Its thread is in a stuck handler, without a worker, and nobody drives it yet.
        displaced,
        /// Another seat drives the worker.
        replaced,
        /// The handler came back; the thread waits for its worker.
        returning,
        /// The thread waits for a worker to drive.
        spare,
        leaving
    };
    /// Its thread drives the loop's worker at once, or waits until it is told to.
    Seat(RunLoop& loop, State first) noexcept
        : m_loop(&loop)
        , m_state(first) {}
    Seat(Seat const&) = delete;
    Seat& operator=(Seat const&) = delete;
    Seat(Seat&&) = delete;
    Seat& operator=(Seat&&) = delete;
    ~Seat();

    /// Makes its thread, and joins the node's list of seats. Throws std::system_error.
    void start();
    /// In that list.
    [[nodiscard]] Seat const* next() const noexcept { return m_next; }
    /// What a thread does that has left its worker.
    struct Alone {
        /// Null: it isn't alone.
        Published<Process const*> process;
        /// The message in hand; null: something else.
        Published<MessageOps const*> handling;
        /// Processor time it had used when it left.
        Published<std::int64_t> left_at_cpu_ns;
    };
    /// Any thread.
    [[nodiscard]] Alone const& alone() const noexcept { return m_alone; }
    /// Any thread: a spare one drives the loop's worker from now on.
    void drive(RunLoop& loop) noexcept;
    /// Any thread: a spare one's thread ends; others are not touched.
    void release() noexcept;
    void join();

    /// Any thread.
    [[nodiscard]] State state() const noexcept { return m_state.load(std::memory_order_acquire); }
    /// Processor time its thread has used; 0 before it runs.
    [[nodiscard]] std::int64_t cpu_time_ns() const noexcept;
    /// Asks the thread to note down its stack and, when it `must_leave`, to leave its worker. Only for one
    /// that drives. False: it did not answer within some milliseconds.
    [[nodiscard]] bool interrupt(bool must_leave) noexcept;
    /// The stack noted last. Only after interrupt() said that there is one.
    [[nodiscard]] std::vector<void*> stack() const;
    /// Whether its thread sleeps in the kernel (and is not merely without a processor).
    [[nodiscard]] bool is_asleep() const;
    /// For one that was displaced from `from`: another seat will drive that, and it runs only when a processor
    /// has nothing else to do. False: it has taken the worker back.
    [[nodiscard]] bool set_replaced(Worker const& from) noexcept;

    // Its own thread's.

    [[nodiscard]] Worker& worker() const noexcept;
    /// In the signal handler.
    void note_stack() noexcept;
    /// In the signal handler, or in a call of the runtime.
    void set_displaced(Process const* process, MessageOps const* handling) noexcept;
    /// Until it drives again.
    void wait_for_worker() noexcept;
    /// It isn't alone any more. Returns the message that it has in hand.
    [[nodiscard]] MessageOps const* come_back() noexcept {
        m_alone.process = nullptr;
        return m_alone.handling;
    }

private:
    void run();
    /// Asks whoever drives the worker for it.
    void ask_for_worker() noexcept;
    /// To a thread that came back; this one is spare then.
    void hand_worker_back() noexcept;
    static constexpr std::size_t deepest_stack = 48;
    RunLoop* m_loop;
    Seat* m_next = nullptr;
    Alone m_alone;
    /// In the worker's list of those that want it back.
    Seat* m_next_returning = nullptr;
    std::atomic<State> m_state;
    std::atomic<pid_t> m_thread_id{0};
    std::atomic<bool> m_has_answered{false};
    std::atomic<bool> m_is_asked_to_leave{false};
    std::array<void*, deepest_stack> m_stack{};
    int m_stack_depth = 0;
    std::thread m_thread;
};

} // namespace sinew::detail
