// The public functions a process calls.
#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/process_local.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew {

using detail::NodeCore;
using detail::Process;
using detail::ProcessScope;
using detail::t_context;
using detail::Worker;

namespace {

/// The node of a timer that `process` set and that is still to come, or null.
detail::MessageTimer* find_timer(Process const& process, Timer timer) noexcept {
    auto* const node = static_cast<detail::MessageTimer*>(timer.node);
    bool const is_there = node != nullptr && timer.sequence != 0 &&
                          std::atomic_ref(node->sequence).load(std::memory_order_relaxed) == timer.sequence &&
                          node->process == &process;
    return is_there ? node : nullptr;
}

} // namespace

Node& current_node() {
    return detail::require_core().node;
}

Pid self() noexcept {
    return t_context.process != nullptr ? t_context.process->pid() : Pid();
}

MonotonicTime now() {
    return MonotonicTime(Duration(detail::require_core().now_ns()));
}

bool is_alive(Pid pid) {
    NodeCore const& core = detail::require_core();
    Process const* const process = core.find(pid);
    return process != nullptr && process->identity.load(std::memory_order_acquire) == pid.value();
}

void link(Pid pid) {
    ProcessScope const scope("link()");
    Process& process = scope.process();
    if (pid == process.pid() || !process.more().links.insert(pid, 0)) {
        return;
    }
    detail::send_link(pid, process.pid());
}

void unlink(Pid pid, Flush flush) {
    ProcessScope const scope("unlink()");
    Process& process = scope.process();
    if (process.extras != nullptr && process.extras->links.erase(pid)) {
        detail::send_unlink(pid, process.pid());
    }
    if (flush == Flush::yes) {
        detail::flush_exits(process, pid);
    }
}

MonitorRef monitor(Pid pid) {
    ProcessScope const scope("monitor()");
    Process& process = scope.process();
    MonitorRef const ref{t_context.worker->next_sequence()};
    process.more().monitors.insert(ref, pid);
    detail::send_monitor(pid, process.pid(), ref);
    return ref;
}

bool demonitor(MonitorRef ref) {
    ProcessScope const scope("demonitor()");
    Process& process = scope.process();
    Pid const* const watched = process.extras != nullptr ? process.extras->monitors.find(ref) : nullptr;
    if (watched == nullptr) {
        detail::flush_downs(process, ref);
        return false;
    }
    Pid const pid = *watched;
    process.extras->monitors.erase(ref);
    detail::send_demonitor(pid, ref);
    return true;
}

void set_trap_exit(bool trap) {
    ProcessScope const scope("set_trap_exit()");
    Process& process = scope.process();
    process.flags = trap ? process.flags | Process::traps_exit : process.flags & ~Process::traps_exit;
}

void exit(Pid pid, ExitReason reason) {
    detail::send_exit(pid, self(), std::move(reason), detail::ExitCause::request);
}

void exit_self(ExitReason reason) {
    ProcessScope const scope("exit_self()");
    throw detail::ExitRequest{std::move(reason)};
}

void set_priority(Priority priority) {
    ProcessScope const scope("set_priority()");
    scope.process().priority = priority;
}

Result<> set_real_time() {
    ProcessScope const scope("set_real_time()");
    Process& process = scope.process();
    NodeCore const& core = t_context.worker->core;
    if (core.is_simulated()) {
        return {};
    }
    if (core.real_time_worker == nullptr) {
        return failure(ErrorCode::unsupported,
                       "this node has no real-time worker: set NodeOptions::real_time");
    }
    if (process.extras != nullptr && !process.extras->file_watches.empty()) {
        return failure(ErrorCode::invalid_argument,
                       "set_real_time() comes before the first FileWatch: a process that watches descriptors "
                       "stays on its worker");
    }
    process.is_real_time = true;
    if (!t_context.worker->is_real_time()) {
        process.flags |= Process::is_moving;
    }
    return {};
}

void set_label(std::string label) {
    ProcessScope const scope("set_label()");
    scope.process().more().label = std::move(label);
}

void hibernate() {
    ProcessScope const scope("hibernate()");
    Process& process = scope.process();
    if (process.extras == nullptr) {
        return;
    }
    if (process.extras->is_empty()) {
        delete std::exchange(process.extras, nullptr);
    } else {
        process.extras->shrink();
    }
}

std::vector<Pid> links() {
    ProcessScope const scope("links()");
    Process const& process = scope.process();
    std::vector<Pid> result;
    if (process.extras != nullptr) {
        for (auto const& [pid, unused] : process.extras->links.entries()) {
            result.push_back(pid);
        }
    }
    return result;
}

Request<void> pause(Duration duration) {
    return Request<void>(detail::custom_request(
        [duration](detail::ReplyPath path) {
            detail::Envelope* const reply = detail::make_reply<void>(path);
            path.forget();
            void* node = nullptr;
            (void)detail::send_later(duration, reply, &node);
        },
        detail::RequestLabel{.target = {}, .target_name = "pause()"}, std::nullopt));
}

bool cancel(Timer timer) {
    ProcessScope const scope("cancel()");
    detail::MessageTimer* const node = find_timer(scope.process(), timer);
    if (node == nullptr) {
        return false;
    }
    Worker& worker = *t_context.worker;
    worker.timers.remove(*node);
    worker.forget_timer(*node, ExitReason::normal());
    return true;
}

std::optional<Duration> time_left(Timer timer) {
    ProcessScope const scope("time_left()");
    detail::MessageTimer const* const node = find_timer(scope.process(), timer);
    if (node == nullptr) {
        return std::nullopt;
    }
    return Duration(std::max<std::int64_t>(node->due_ns - t_context.core->now_ns(), 0));
}

namespace detail {

void Extras::shrink() {
    links.shrink();
    monitors.shrink();
    watchers.shrink();
    names.shrink_to_fit();
    unanswered.shrink_to_fit();
    held_replies.shrink_to_fit();
    stop_waiters.shrink_to_fit();
    end_waiters.shrink_to_fit();
    file_watches.shrink_to_fit();
    exit_hooks.shrink_to_fit();
    locals.shrink_to_fit();
    blocked_by.shrink_to_fit();
    blocked_senders.shrink_to_fit();
}

bool Extras::is_empty() const noexcept {
    return links.empty() && monitors.empty() && watchers.empty() && !parent &&
           ancestors_for_children == nullptr && type_slot == no_type_slot && names.empty() && label.empty() &&
           !root && ready == nullptr && receiving == nullptr && unanswered.empty() && held_replies.empty() &&
           stop_waiters.empty() && end_waiters.empty() && file_watches.empty() && exit_hooks.empty() &&
           idle_timer.sequence == 0 && locals.empty() && blocked_by.empty() && blocked_senders.empty() &&
           failed_message == nullptr && inspection == nullptr;
}

void* find_process_local(void const* key, std::shared_ptr<void> (*make)()) {
    ProcessScope const scope("process_local()");
    auto& locals = scope.process().more().locals;
    auto const found = std::ranges::find(locals, key, [](auto const& entry) { return entry.first; });
    if (found != locals.end()) {
        return found->second.get();
    }
    return locals.emplace_back(key, make()).second.get();
}

namespace {

struct StopMessage {
    ReplyPath path;
    ExitReason reason;
};
void deliver_stop(void* /*state*/, Envelope& envelope) {
    PayloadScope<StopMessage> const message(envelope);
    Process& process = *t_context.process;
    process.more().stop_waiters.push_back({std::move(message->path), message->reason});
    request_stop(process, std::move(message->reason));
}
void discard_stop(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<StopMessage> const message(envelope);
    if (message->reason == reason) {
        message->path.answer(make_reply<void>(message->path));
    } else {
        message->path.fail(RequestFailure::ended, reason);
    }
}
constexpr MessageOps stop_ops{
    .deliver = &deliver_stop, .discard = &discard_stop, .type = &typeid(StopMessage), .is_system = true};

RequestStart start_stop(Pid pid, ExitReason reason, Duration timeout) {
    RequestStart start;
    start.target = pid;
    start.label = {.target = pid, .target_name = "process"};
    start.timeout = timeout;
    start.envelope = make_envelope<StopMessage>(stop_ops, ReplyPath(), std::move(reason));
    start.go = [](RequestStart& self, ReplyPath path) {
        payload_of<StopMessage>(*self.envelope).path = std::move(path);
        deliver(self.target, std::exchange(self.envelope, nullptr));
    };
    return start;
}

} // namespace

void submit_blocking(std::function<void()> work) {
    NodeCore& core = require_core();
    if (core.is_simulated()) {
        work();
    } else if (core.blocking != nullptr) {
        core.blocking->submit(std::move(work));
    }
    // Otherwise the node is being destroyed: the work is dropped, and says so to whoever waits for it.
}

} // namespace detail

Request<void> stop(Pid pid, ExitReason reason, Duration timeout) {
    return Request<void>(detail::start_stop(pid, std::move(reason), timeout));
}

Result<> stop_and_wait(Pid pid, ExitReason reason, Duration timeout) {
    detail::RequestStart start = detail::start_stop(pid, std::move(reason), timeout);
    detail::Envelope* const reply = detail::wait_for_reply(start);
    return detail::take_reply<void>(reply, start.label);
}

} // namespace sinew
