// The public functions a process calls, and the delivery of envelopes.
#include "context.hpp"
#include "kernel.hpp"
#include "node_core.hpp"
#include "process.hpp"
#include "worker.hpp"

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

void set_label(std::string label) {
    ProcessScope const scope("set_label()");
    scope.process().more().label = std::move(label);
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

std::optional<Duration> cancel(Timer timer) {
    ProcessScope const scope("cancel()");
    Process const& process = scope.process();
    auto* const node = static_cast<detail::MessageTimer*>(timer.node);
    if (node == nullptr || timer.sequence == 0 ||
        std::atomic_ref(node->sequence).load(std::memory_order_relaxed) != timer.sequence ||
        node->process != &process) {
        return std::nullopt;
    }
    Worker& worker = *t_context.worker;
    Duration const left(std::max<std::int64_t>(node->due_ns - worker.core.now_ns(), 0));
    worker.timers.remove(*node);
    worker.forget_timer(*node, ExitReason::normal());
    return left;
}

namespace detail {

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

void fire_message(TimerNode& node) {
    auto& timer = static_cast<MessageTimer&>(node);
    Worker& worker = *t_context.worker;
    Process& process = *timer.process;
    Envelope* const envelope = std::exchange(timer.envelope, nullptr);
    worker.forget_timer(timer, {});
    worker.accept(process, envelope);
}

/// A new process that an outside thread made: its worker begins with it.
void arrive_start(Process& process, Envelope& envelope) {
    destroy_payload<char>(envelope);
    process.flags |= Process::needs_start;
    process.owner.load(std::memory_order_relaxed)->make_runnable(process);
}
constexpr MessageOps start_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<char>, .arrive = &arrive_start};

void push_from_outside(Process& process, Pid pid, Envelope* envelope) {
    envelope->target = pid;
    Envelope* head = process.remote.load(std::memory_order_relaxed);
    do {
        envelope->next = head;
    } while (!process.remote.compare_exchange_weak(head, envelope, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed));
    if (head == nullptr) {
        process.owner.load(std::memory_order_seq_cst)->notify(process);
    }
}

void deliver_in(NodeCore& core, Pid target, Envelope* envelope) {
    RuntimeScope const scope;
    Process* const process = core.find(target);
    Worker* const worker = t_context.worker;
    if (process == nullptr || process->identity.load(std::memory_order_acquire) != target.value()) {
        bounce(envelope);
    } else if (worker == nullptr || &worker->core != &core) {
        push_from_outside(*process, target, envelope);
    } else if (process->owner.load(std::memory_order_acquire) == worker) {
        if (worker->has_outgoing_for(*process)) [[unlikely]] {
            // It has come here from another worker since: what was sent before goes first.
            worker->flush_remote();
        }
        if (process->remote.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
            (void)worker->drain_remote(*process);
        }
        process->streak_sender = 0;
        worker->accept(*process, envelope);
    } else {
        worker->send_remote(*process, target, envelope);
    }
}

Process& new_process(NodeCore& core, std::shared_ptr<Blueprint const> blueprint, SpawnOptions& options) {
    Worker* const worker = t_context.worker;
    Process* process = nullptr;
    if (worker != nullptr && &worker->core == &core) {
        process = &worker->take_slot();
    } else {
        std::vector<Process*> slot;
        core.slots.take(core.next_worker(), slot, 1);
        process = slot.front();
    }
    process->behaviour = &blueprint->behaviour();
    process->identity.store(process->identity.load(std::memory_order_relaxed) & ~Process::free_bit,
                            std::memory_order_release);
    process->start = new StartInfo;
    process->start->blueprint = std::move(blueprint);
    process->start->type_slot = options.type_slot;
    process->start->name = std::move(options.name);
    process->start->on_started = std::move(options.on_started);
    process->start->via = std::move(options.via);
    process->start->timeout = options.start_timeout;
    if (worker != nullptr && &worker->core == &core) {
        worker->spawned += 1;
    } else {
        core.spawned_outside.fetch_add(1, std::memory_order_acq_rel);
    }
    return *process;
}

} // namespace

void deliver(Pid target, Envelope* envelope) {
    deliver_in(require_core(), target, envelope);
}
void deliver(Node& node, Pid target, Envelope* envelope) {
    deliver_in(node.core(), target, envelope);
}

Pid spawn_process(Node& node, std::shared_ptr<Blueprint const> blueprint, SpawnOptions options) {
    RuntimeScope const scope;
    ensure_worker();
    NodeCore& core = node.core();
    Process& process = new_process(core, std::move(blueprint), options);
    Pid const pid = process.pid();
    Worker* const worker = t_context.worker;
    Process* const spawner = t_context.process;
    if (spawner != nullptr && options.is_linked) {
        process.more().parent = spawner->pid();
        process.extras->links.insert(spawner->pid(), 0);
        spawner->more().links.insert(pid, 0);
    }
    if (spawner != nullptr && options.monitor != nullptr) {
        *options.monitor = MonitorRef{worker->next_sequence()};
        process.more().watchers.insert(*options.monitor, spawner->pid());
        spawner->more().monitors.insert(*options.monitor, pid);
    }
    if (worker != nullptr && &worker->core == &core) {
        process.flags = Process::needs_start;
        worker->make_runnable(process);
    } else {
        push_from_outside(process, pid, make_envelope<char>(start_ops, '\0'));
    }
    return pid;
}

void send_first(Envelope* envelope) {
    ProcessScope const scope("continue_with()");
    scope.process().prepend(envelope);
}

std::uint64_t send_later(Duration delay, Envelope* envelope, void** node) {
    RuntimeScope const scope;
    ensure_worker();
    Process* const process = t_context.process;
    if (process == nullptr) {
        bounce(envelope);
        throw std::logic_error("send_after() works inside a process only");
    }
    Worker& worker = *t_context.worker;
    MessageTimer& timer = worker.take_timer();
    std::uint64_t const sequence = worker.next_sequence();
    std::atomic_ref(timer.sequence).store(sequence, std::memory_order_relaxed);
    std::int64_t const now_ns = worker.core.now_ns();
    timer.due_ns = delay.count() > TimerWheel::never - 1 - now_ns
                       ? TimerWheel::never - 1
                       : now_ns + std::max<std::int64_t>(delay.count(), 0);
    timer.fire = &fire_message;
    timer.process = process;
    timer.envelope = envelope;
    timer.previous_timer = nullptr;
    timer.next_timer = process->timers;
    if (process->timers != nullptr) {
        process->timers->previous_timer = &timer;
    }
    process->timers = &timer;
    worker.timers.add(timer);
    *node = &timer;
    return sequence;
}

void arm_idle_timeout(Duration delay, Envelope* envelope) {
    ProcessScope const scope("set_idle_timeout()");
    Process& process = scope.process();
    payload_of<IdleMark>(*envelope).messages_handled = process.messages_handled;
    Extras& extras = process.more();
    (void)cancel(extras.idle_timer);
    if (delay <= Duration(0)) {
        extras.idle_timer = {};
        deliver(process.pid(), envelope);
    } else {
        extras.idle_timer.sequence = send_later(delay, envelope, &extras.idle_timer.node);
    }
}

bool is_still_idle(IdleMark mark) {
    ProcessScope const scope("an idle timeout");
    Process& process = scope.process();
    if (process.messages_handled == mark.messages_handled + 1) {
        return true;
    }
    process.messages_handled -= 1;
    return false;
}

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
