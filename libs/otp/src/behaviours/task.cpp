#include "core/process.hpp"
#include "process/signals.hpp"

#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/task_process.hpp>
#include <sinew/otp/detail/task_runner.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace sinew::detail {

TaskPending::TaskPending(Link is_linked)
    : label{.target = {}, .target_name = "the task"}
    , link(is_linked) {
    keeps_reply = true;
    arm_pending(*this, std::nullopt);
}

void spawn_task(TaskPending& pending, std::shared_ptr<Blueprint const> blueprint) {
    SpawnOptions options;
    options.is_linked = pending.link == TaskPending::Link::yes;
    pending.process = spawn_process(current_node(), std::move(blueprint), std::move(options));
    pending.label.target = pending.process;
}

TaskPending& require_task(TaskPending* pending) {
    if (pending == nullptr) {
        throw std::logic_error("sinew: the result of this task was taken already");
    }
    if (pending->owner->pid() != self()) {
        throw std::logic_error("sinew: only the process that started a task can wait for it");
    }
    return *pending;
}

void leave_task(TaskPending& pending) noexcept {
    disarm_pending(pending);
    if (pending.link == TaskPending::Link::yes) {
        unlink(pending.process, Flush::yes);
    }
}

void abandon_task(TaskPending& pending) noexcept {
    disarm_pending(pending);
    if (pending.link == TaskPending::Link::yes) {
        unlink(pending.process, Flush::yes);
        send_exit(pending.process, self(), ExitReason::kill(), ExitCause::request);
    }
}

Async<> end_task(Pid pid, Duration time) {
    Request<ExitReason> asked = end_process(pid, ExitReason::shutdown(), time);
    Result<ExitReason> ended = co_await asked;
    if (!ended) {
        Request<ExitReason> killed = end_process(pid, ExitReason::kill(), kill_limit);
        ended = co_await killed;
    }
}

std::size_t concurrency_or_workers(std::size_t count) {
    return count != 0 ? count : current_node().worker_count();
}

void end_task_runner(Pid runner) noexcept {
    unlink(runner, Flush::yes);
    send_exit(runner, self(), ExitReason::shutdown(), ExitCause::request);
}

void kill_task(Pid task) noexcept {
    send_exit(task, self(), ExitReason::kill(), ExitCause::request);
}

} // namespace sinew::detail
