#include "messages/pending.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/external_reply.hpp"
#include "messages/mailbox.hpp"

#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/request.hpp>
#include <sinew/otp/request_collection.hpp>

#include <coroutine>
#include <cstdint>
#include <optional>
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
    accept_reply(worker, *pending.owner, make_failure(pending.ref, RequestFailure::timed_out, {}));
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
    t_context.worker->queue.make_runnable(process);
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
        enqueue(worker, process, envelope);
        return;
    }
    pending->reply = envelope;
    process.more().ready = pending;
    process.flags |= Process::is_ready;
    worker.queue.make_runnable(process);
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

void drop_requests(Process& process) noexcept {
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

} // namespace sinew::detail
