/// TaskBlueprint and TaskPending: the process that runs a task's function, and the place where its owner
/// finds the result.
///
/// Invariant: the blueprint is the state of its process, too: it keeps itself until the process ends. Its
/// path is answered once: with the result, or with the reason of the end.
/// Threading: the blueprint is used by the task's process after it is spawned; the pending by the owner.
#pragma once

#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/process.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace sinew::detail {

template<typename T>
struct UnwrapAsync {
    using Type = T;
};
template<typename T>
struct UnwrapAsync<Async<T>> {
    using Type = T;
};
template<typename F>
using TaskValue = typename UnwrapAsync<std::invoke_result_t<F&>>::Type;

struct TaskPending : Pending, InBlock {
    enum class Link : std::uint8_t { no, yes };
    /// Waits in the current process.
    explicit TaskPending(Link is_linked);
    [[nodiscard]] Pid pid() const noexcept {
        return child != nullptr ? Pid::from_value(child->load(std::memory_order_acquire)) : process;
    }
    RequestLabel label;
    Link link;
    Pid process;
    /// Instead of `process` when a supervisor starts it: the task writes its Pid there.
    std::shared_ptr<std::atomic<std::uint64_t>> child;
};

/// Starts the process; it is a linked one if the pending says so.
void spawn_task(TaskPending& pending, std::shared_ptr<Blueprint const> blueprint);
/// Throws std::logic_error when `pending` is null (the result was taken) or another process's.
[[nodiscard]] TaskPending& require_task(TaskPending* pending);
/// Ends a linked task; nothing of it reaches the owner any more.
void abandon_task(TaskPending& pending) noexcept;
/// Takes the pending and the link off; nothing of the task reaches the owner any more.
void leave_task(TaskPending& pending) noexcept;
[[nodiscard]] Async<> end_task(Pid pid, Duration time);

template<typename F>
class TaskBlueprint final : public Blueprint, public std::enable_shared_from_this<TaskBlueprint<F>> {
public:
    using Value = TaskValue<F>;
    TaskBlueprint(F function, ReplyPath path, std::shared_ptr<std::atomic<std::uint64_t>> pid = nullptr)
        : Blueprint(behaviour)
        , m_function(std::move(function))
        , m_path(std::move(path))
        , m_pid(std::move(pid)) {}
    [[nodiscard]] void* construct() const override {
        m_self = this->shared_from_this();
        if (m_pid != nullptr) {
            m_pid->store(self().value(), std::memory_order_release);
        }
        return const_cast<TaskBlueprint*>(this);
    }

private:
    static void run(void* state) {
        auto& task = *static_cast<TaskBlueprint*>(state);
        init_done(Start::running);
        if constexpr (is_async<std::invoke_result_t<F&>>) {
            start_root(drive(task));
        } else if constexpr (std::is_void_v<Value>) {
            task.m_function();
            task.finish();
        } else {
            task.finish(task.m_function());
        }
    }
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): it holds itself until the end
    static Async<void> drive(TaskBlueprint& task) {
        auto running = task.m_function();
        if constexpr (std::is_void_v<Value>) {
            co_await running;
            task.finish();
        } else {
            Value value = co_await running;
            task.finish(std::move(value));
        }
    }
    void finish(auto&&... value) {
        m_path.answer(make_reply<Value>(m_path, std::forward<decltype(value)>(value)...));
        stop_self(ExitReason::normal());
    }
    static constexpr Behaviour behaviour{
        .type = &typeid(F), .init = &run, .destroy = [](void* state) noexcept {
            auto* const task = static_cast<TaskBlueprint*>(state);
            // Goes with this function, after the path: a supervisor may hold the blueprint longer.
            std::shared_ptr<TaskBlueprint const> const self = std::move(task->m_self);
            ReplyPath const unanswered = std::move(task->m_path);
        }};

    F m_function;
    mutable ReplyPath m_path;
    std::shared_ptr<std::atomic<std::uint64_t>> m_pid;
    mutable std::shared_ptr<TaskBlueprint const> m_self;
};

} // namespace sinew::detail
