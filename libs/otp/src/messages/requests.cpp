// Requests and their answers: pending requests of processes, and the way back to who asked.
#include "messages/external_reply.hpp"
#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/request.hpp>
#include <sinew/otp/request_collection.hpp>

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

namespace sinew::detail {
namespace {

void link_pending(Process& process, Pending& pending) noexcept {
    pending.previous_pending = process.pendings_last;
    pending.next_pending = nullptr;
    if (process.pendings_last != nullptr) {
        process.pendings_last->next_pending = &pending;
    } else {
        process.pendings_first = &pending;
    }
    process.pendings_last = &pending;
}

void unlink_pending(Process& process, Pending& pending) noexcept {
    (pending.previous_pending != nullptr ? pending.previous_pending->next_pending : process.pendings_first) =
        pending.next_pending;
    (pending.next_pending != nullptr ? pending.next_pending->previous_pending : process.pendings_last) =
        pending.previous_pending;
    pending.next_pending = nullptr;
    pending.previous_pending = nullptr;
}

Pending* find_pending(Process& process, std::uint64_t ref) noexcept {
    Pending* pending = process.pendings_first;
    while (pending != nullptr && pending->ref != ref) {
        pending = pending->next_pending;
    }
    return pending;
}

std::uint64_t ref_of(Envelope& envelope) noexcept {
    void* const start = envelope.payload;
    return envelope.ops->is_heap ? (*static_cast<ReplyHeader**>(start))->ref
                                 : static_cast<ReplyHeader*>(start)->ref;
}

/// Never early. A long limit takes the coarse clock, which is cheap, and may be a few milliseconds late.
std::int64_t due_after(NodeCore const& core, std::int64_t timeout_ns) noexcept {
    constexpr std::int64_t long_ns = 1'000'000'000;
    if (timeout_ns >= long_ns) {
        return TimerWheel::time_after(core.coarse_now_ns() + core.coarse_step_ns(), timeout_ns);
    }
    return TimerWheel::time_after(core.now_ns(), timeout_ns);
}

void fire_request_timeout(TimerNode& node) {
    auto& pending = static_cast<Pending&>(node);
    Worker& worker = *t_context.worker;
    worker.accept(*pending.owner, make_failure(pending.ref, RequestFailure::timed_out, {}));
}

} // namespace

void arm_pending(Pending& pending, std::optional<Duration> timeout) {
    ProcessScope const scope("request()");
    Process& process = scope.process();
    Worker& worker = *t_context.worker;
    pending.sequence = worker.next_sequence();
    pending.ref = static_cast<std::uint64_t>(worker.core.node_index) << node_index_shift | pending.sequence;
    pending.owner = &process;
    pending.state = Pending::State::waiting;
    pending.fire = &fire_request_timeout;
    link_pending(process, pending);
    if (timeout && *timeout != Duration::max()) {
        pending.due_ns = due_after(worker.core, timeout->count());
        worker.timers.add(pending);
    }
}

void disarm_pending(Pending& pending) noexcept {
    if (pending.state == Pending::State::idle) {
        return;
    }
    RuntimeScope const scope;
    ensure_worker();
    if (pending.is_armed()) {
        t_context.worker->timers.remove(pending);
    }
    unlink_pending(*pending.owner, pending);
    pending.state = Pending::State::idle;
    if (pending.reply != nullptr) {
        Envelope* const reply = std::exchange(pending.reply, nullptr);
        reply->ops->discard(*reply, ExitReason::normal());
        free_envelope(reply);
    }
}

void suspend_for(Pending& pending, std::coroutine_handle<> waiter) {
    ProcessScope const scope("request()");
    (void)pending.owner->more(); // Whoever ends the wait needs it, and must not fail.
    pending.waiter = waiter;
    pending.owner->flags |= Process::is_suspended;
}

namespace {

void fire_wait_timeout(TimerNode& node) {
    end_wait(static_cast<Pending&>(node));
}

} // namespace

void end_wait(Pending& pending) noexcept {
    Process& process = *pending.owner;
    if (pending.is_armed()) {
        t_context.worker->timers.remove(pending);
    }
    pending.due_ns = TimerWheel::never;
    process.more().ready = &pending;
    process.flags |= Process::is_ready;
    t_context.worker->make_runnable(process);
}

void suspend_for(Pending& pending, std::coroutine_handle<> waiter, Duration time) {
    suspend_for(pending, waiter);
    ProcessScope const scope("a wait");
    if (time != Duration::max()) {
        Worker& worker = *t_context.worker;
        pending.fire = &fire_wait_timeout;
        pending.due_ns = TimerWheel::time_after(worker.core.now_ns(), time.count());
        worker.timers.add(pending);
    }
}

ReplyPath path_to(Pending const& pending) noexcept {
    return {pending.owner->pid().value(), pending.ref};
}

void accept_reply(Worker& worker, Process& process, Envelope* envelope) {
    Pending* const pending = find_pending(process, ref_of(*envelope));
    if (pending == nullptr || pending->state != Pending::State::waiting) {
        bounce(envelope);
        return;
    }
    pending->state = Pending::State::answered;
    if (pending->is_armed()) {
        worker.timers.remove(*pending);
    }
    // Its process may be under way to this worker, whose adopt() arms what still has a time.
    pending->due_ns = TimerWheel::never;
    if (!pending->waiter && pending->keeps_reply) {
        pending->reply = envelope;
        if (pending->on_reply != nullptr) {
            pending->on_reply(*pending);
        }
        return;
    }
    if (!pending->waiter) {
        worker.enqueue(process, envelope);
        return;
    }
    pending->reply = envelope;
    process.more().ready = pending;
    process.flags |= Process::is_ready;
    worker.make_runnable(process);
}

void dispatch_reply(Process& process, Envelope* envelope) {
    Pending* const pending = find_pending(process, ref_of(*envelope));
    if (pending == nullptr) {
        bounce(envelope);
        return;
    }
    unlink_pending(process, *pending);
    pending->state = Pending::State::idle;
    pending->reply = envelope;
    HandlerScope const scope;
    pending->on_reply(*pending);
}

bool cancel_request(std::uint64_t ref) noexcept {
    RuntimeScope const scope;
    ensure_worker();
    Process* const process = t_context.process;
    Pending* const pending = process != nullptr ? find_pending(*process, ref) : nullptr;
    if (pending == nullptr || pending->abandon == nullptr) {
        return false;
    }
    disarm_pending(*pending);
    pending->abandon(*pending);
    return true;
}

void drop_timers_and_requests(Worker& worker, Process& process) noexcept {
    while (MessageTimer* const timer = process.timers) {
        worker.timers.remove(*timer);
        worker.forget_timer(*timer, ExitReason::noproc());
    }
    // Requests of coroutines are disarmed by their destruction; those on the heap are freed here.
    Pending* pending = process.pendings_first;
    while (pending != nullptr) {
        Pending* const next = pending->next_pending;
        if (pending->abandon != nullptr) {
            disarm_pending(*pending);
            pending->abandon(*pending);
        }
        pending = next;
    }
}

void begin_request(RequestStart& start, ReplyPath path) {
    if (start.target && start.target == self()) {
        path.fail(RequestFailure::calling_self);
        discard_request(start);
        return;
    }
    start.go(start, std::move(path));
}

void begin_request(RequestStart& start, Pending& pending) {
    arm_pending(pending, start.timeout);
    try {
        begin_request(start, path_to(pending));
    } catch (...) {
        disarm_pending(pending);
        throw;
    }
}

void begin_request(RequestStart& start, Pending& pending, std::coroutine_handle<> waiter) {
    arm_pending(pending, start.timeout);
    try {
        suspend_for(pending, waiter);
        begin_request(start, path_to(pending));
    } catch (...) {
        Process& process = *pending.owner;
        process.flags &= ~(Process::is_suspended | Process::is_ready);
        if (process.extras != nullptr) {
            process.extras->ready = nullptr; // Sending may have been answered before it threw.
        }
        pending.waiter = {};
        disarm_pending(pending);
        throw;
    }
}

void discard_request(RequestStart& start) noexcept {
    if (start.envelope != nullptr) {
        Envelope* const envelope = std::exchange(start.envelope, nullptr);
        envelope->ops->discard(*envelope, ExitReason::noproc());
        free_envelope(envelope);
    }
}

RequestStart make_request_start(Pid target, std::type_info const& target_type,
                                std::type_info const& request_type, Envelope* envelope,
                                std::optional<Duration> timeout) {
    RequestStart start;
    start.target = target;
    start.envelope = envelope;
    start.label.target = target;
    start.label.target_type = &target_type;
    start.label.request_type = &request_type;
    start.timeout = timeout;
    return start;
}

namespace {

struct CustomStart {
    std::function<void(ReplyPath)> function;
};
constexpr MessageOps custom_start_ops{.discard = &discard_payload<CustomStart>, .type = &typeid(CustomStart)};

} // namespace

RequestStart custom_request(std::function<void(ReplyPath)> function, RequestLabel label,
                            std::optional<Duration> timeout) {
    RequestStart start;
    start.label = label;
    start.timeout = timeout;
    start.envelope = make_envelope<CustomStart>(custom_start_ops, std::move(function));
    start.go = [](RequestStart& self, ReplyPath path) {
        Envelope* const envelope = std::exchange(self.envelope, nullptr);
        auto run = std::move(payload_of<CustomStart>(*envelope).function);
        bounce(envelope);
        run(std::move(path));
    };
    return start;
}

void ReplyPath::answer(Envelope* reply) noexcept {
    std::uint64_t const address = std::exchange(m_address, 0);
    std::uint64_t const ref = std::exchange(m_ref, 0);
    if ((ref & external_bit) != 0) {
        auto* const waiting = reinterpret_cast<ExternalReply*>(address);
        waiting->put(reply);
        waiting->release();
        return;
    }
    NodeCore* const core = node_by_index(static_cast<unsigned>(ref >> node_index_shift & node_index_mask));
    if (core == nullptr) {
        bounce(reply);
        return;
    }
    deliver(core->node, Pid::from_value(address), reply);
}

void ReplyPath::answer_from_handler(Envelope* reply) {
    ProcessScope const scope("handle_call()");
    Process& process = scope.process();
    if (process.has(Process::stop_requested)) {
        process.more().held_replies.emplace_back(std::move(*this), reply);
        return;
    }
    answer(reply);
}

void ReplyPath::fail(RequestFailure failure, ExitReason const& reason) noexcept {
    if (m_ref != 0) {
        answer(make_failure(m_ref, failure, reason));
    }
}

void ReplyPath::drop_unanswered() noexcept {
    RuntimeScope const scope;
    ensure_worker();
    if (t_context.dying_reason != nullptr) {
        fail(RequestFailure::ended, *t_context.dying_reason);
    } else if (t_context.process != nullptr && std::uncaught_exceptions() > 0) {
        // If nobody catches it the process ends, and its reason is the answer; see let_unanswered_go().
        t_context.process->more().unanswered.push_back(std::move(*this));
        t_context.process->flags |= Process::has_unanswered;
    } else {
        fail(RequestFailure::dropped);
    }
}

} // namespace sinew::detail
