/// Task<T>: one piece of work in a process of its own, whose result is awaited (Elixir's Task).
///
///     auto left = async([] { return measure("left"); });
///     auto right = async([] { return measure("right"); });          // both run
///     Result<double> const a = co_await left.await(2s);
///     Result<double> const b = co_await right.await(2s);
///
/// async() links the task with its owner: if it crashes, the owner does, unless it traps exits; if the owner
/// ends, or destroys the Task, the work is ended. async_nolink() leaves both alone: a crash is the Error of
/// await(). The function may be a coroutine that returns Async<T>.
/// Invariant: the result arrives once, and only in the process that started the task; nothing of it is left
/// in the mailbox. Errors of await(): timed_out; unavailable: the task ended without a result.
/// Threading: a Task belongs to the process that made it.
#pragma once

#include <sinew/otp/call.hpp>
#include <sinew/otp/detail/task_process.hpp>
#include <sinew/otp/dynamic_supervisor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

/// Work in progress; see the top of the file.
template<typename T>
class [[nodiscard("destroying a Task ends its work; ignore() it if that is not meant")]] Task {
public:
    using Value = detail::FlatResultOf<T>;

    Task(Task&&) noexcept = default;
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            end();
            m_pending = std::move(other.m_pending);
        }
        return *this;
    }
    Task(Task const&) = delete;
    Task& operator=(Task const&) = delete;
    ~Task() { end(); }

    /// Empty while a supervisor hasn't started it yet.
    [[nodiscard]] Pid pid() const noexcept { return m_pending != nullptr ? m_pending->pid() : Pid(); }
    [[nodiscard]] bool is_done() const noexcept {
        return m_pending != nullptr && m_pending->reply != nullptr;
    }

    /// For the compiler.
    struct YieldAwaiter {
        /// Which one.
        Task* task;
        /// For how long.
        Duration time;
        [[nodiscard]] bool await_ready() const { return task->require_owner().reply != nullptr; }
        void await_suspend(std::coroutine_handle<> waiter) const {
            detail::suspend_for(*task->m_pending, waiter, time);
        }
        [[nodiscard]] std::optional<Value> await_resume() const { return task->take_if_done(); }
    };
    /// For the compiler.
    struct Awaiter : YieldAwaiter {
        [[nodiscard]] Value await_resume() const {
            std::optional<Value> result = this->task->take_if_done();
            if (!result) {
                this->task->end();
                return failure(ErrorCode::timed_out, "the task did not end in time");
            }
            return *std::move(result);
        }
    };
    /// `co_await task.await(2s)`: its result. After a timeout a linked task is ended, another one goes on
    /// without anyone listening.
    [[nodiscard]] Awaiter await(Duration timeout = default_call_timeout) { return Awaiter{{this, timeout}}; }
    /// `co_await task.yield(10ms)`: its result if it is there within `time`; it goes on otherwise.
    [[nodiscard]] YieldAwaiter yield(Duration time) { return {this, time}; }
    /// Asks it to end (reason shutdown), and kills it after `time`. Its result, if it had one by then.
    [[nodiscard]] Async<std::optional<Value>> shutdown(Duration time = default_call_timeout) {
        if (!require_owner().reply && pid()) {
            unlink(pid(), Flush::yes); // Its end is not the owner's.
            auto ending = detail::end_task(pid(), time);
            co_await ending;
        }
        std::optional<Value> result = take_if_done();
        if (result && !*result) {
            result.reset();
        }
        end();
        co_return result;
    }
    /// Lets it go on; nobody hears of its result.
    void ignore() {
        if (m_pending != nullptr) {
            detail::leave_task(*m_pending);
            m_pending.reset();
        }
    }

private:
    template<typename F>
    friend auto async(F function) -> Task<detail::TaskValue<F>>;
    template<typename F>
    friend auto async_nolink(F function) -> Task<detail::TaskValue<F>>;
    template<Target Supervisor, typename F>
    friend auto async_nolink(Supervisor const& supervisor, F function, Shutdown shutdown)
        -> Task<detail::TaskValue<F>>;
    explicit Task(std::unique_ptr<detail::TaskPending> pending) noexcept
        : m_pending(std::move(pending)) {}

    [[nodiscard]] detail::TaskPending& require_owner() const { return detail::require_task(m_pending.get()); }
    [[nodiscard]] std::optional<Value> take_if_done() {
        if (!is_done()) {
            return std::nullopt;
        }
        auto const pending = std::exchange(m_pending, nullptr);
        detail::Envelope* const reply = std::exchange(pending->reply, nullptr);
        detail::leave_task(*pending);
        return detail::take_reply<T>(reply, pending->label);
    }
    void end() noexcept {
        if (m_pending != nullptr) {
            detail::abandon_task(*m_pending);
            m_pending.reset();
        }
    }

    std::unique_ptr<detail::TaskPending> m_pending;
};

/// The results of all, in their order, within `timeout` in all: `co_await await_many(std::move(tasks), 2s)`.
/// Each that isn't there by then is an Error (timed_out), and its task is as after Task::await().
template<typename T>
[[nodiscard]] Async<std::vector<typename Task<T>::Value>>
await_many(std::vector<Task<T>> tasks, Duration timeout = default_call_timeout) {
    MonotonicTime const began = now();
    std::vector<typename Task<T>::Value> results;
    results.reserve(tasks.size());
    for (Task<T>& task : tasks) {
        auto waiting = task.await(std::max(timeout - (now() - began), Duration(0)));
        typename Task<T>::Value result = co_await waiting;
        results.push_back(std::move(result));
    }
    co_return results;
}

/// Runs `function` (returning T or Async<T>) in a process linked to this one. In a process.
template<typename F>
[[nodiscard]] auto async(F function) -> Task<detail::TaskValue<F>> {
    auto pending = std::make_unique<detail::TaskPending>(detail::TaskPending::Link::yes);
    detail::spawn_task(*pending, detail::make_shared_in_block<detail::TaskBlueprint<F>>(
                                     std::move(function), detail::path_to(*pending)));
    return Task<detail::TaskValue<F>>(std::move(pending));
}

/// The same without the link.
template<typename F>
[[nodiscard]] auto async_nolink(F function) -> Task<detail::TaskValue<F>> {
    auto pending = std::make_unique<detail::TaskPending>(detail::TaskPending::Link::no);
    detail::spawn_task(*pending, detail::make_shared_in_block<detail::TaskBlueprint<F>>(
                                     std::move(function), detail::path_to(*pending)));
    return Task<detail::TaskValue<F>>(std::move(pending));
}

/// The same as a temporary child of a DynamicSupervisor. When that refuses, await() has an Error
/// (unavailable).
template<Target Supervisor, typename F>
[[nodiscard]] auto async_nolink(Supervisor const& supervisor, F function,
                                Shutdown shutdown = Shutdown::after(std::chrono::seconds(5)))
    -> Task<detail::TaskValue<F>> {
    static_assert(std::is_same_v<typename Supervisor::ServerType, DynamicSupervisor>,
                  "a task's supervisor is a DynamicSupervisor");
    auto pending = std::make_unique<detail::TaskPending>(detail::TaskPending::Link::no);
    pending->child = std::make_shared<std::atomic<std::uint64_t>>(0);
    auto blueprint = detail::make_shared_in_block<detail::TaskBlueprint<F>>(
        std::move(function), detail::path_to(*pending), pending->child);
    ChildSpec spec = detail::make_child_spec(
        blueprint, detail::no_type_slot,
        {.restart = Restart::temporary, .shutdown = shutdown, .is_registered = false});
    // The task itself answers, or whoever drops it.
    request(supervisor, StartChild{std::move(spec)}, Duration::max())
        .then([](Result<Pid> const& /*started*/) {});
    return Task<detail::TaskValue<F>>(std::move(pending));
}

} // namespace sinew
