// Messages that come later.
#include "messages/timers.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/delivery.hpp"
#include "messages/mailbox.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/request.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

namespace sinew {
namespace detail {
namespace {

/// Takes a disarmed timer off its process and frees it; discards the envelope if it still has one.
void forget(Worker& worker, MessageTimer& timer, ExitReason const& reason) noexcept {
    std::atomic_ref(timer.sequence).store(0, std::memory_order_relaxed);
    (timer.previous_timer != nullptr ? timer.previous_timer->next_timer : timer.process->timers) =
        timer.next_timer;
    if (timer.next_timer != nullptr) {
        timer.next_timer->previous_timer = timer.previous_timer;
    }
    if (Envelope* const envelope = std::exchange(timer.envelope, nullptr)) {
        envelope->ops->discard(*envelope, reason);
        free_envelope(envelope);
    }
    worker.timer_pool.give(timer);
}

void fire_message(TimerNode& node) {
    auto& timer = static_cast<MessageTimer&>(node);
    Worker& worker = *t_context.worker;
    Process& process = *timer.process;
    Envelope* const envelope = std::exchange(timer.envelope, nullptr);
    forget(worker, timer, {});
    if (envelope->ops->kind == EnvelopeKind::message) {
        envelope->target = own_message;
        enqueue(worker, process, envelope);
    } else {
        accept(worker, process, envelope);
    }
}

/// The node of a timer that `process` set and that is still to come, or null.
MessageTimer* find_timer(Process const& process, Timer timer) noexcept {
    auto* const node = static_cast<MessageTimer*>(timer.node);
    bool const is_there = node != nullptr && timer.sequence != 0 &&
                          std::atomic_ref(node->sequence).load(std::memory_order_relaxed) == timer.sequence &&
                          node->process == &process;
    return is_there ? node : nullptr;
}

// An interval's envelope is never sent itself, so its target tells the interval in nanoseconds.
void fire_interval(TimerNode& node) {
    auto& timer = static_cast<MessageTimer&>(node);
    Worker& worker = *t_context.worker;
    std::int64_t const interval_ns = static_cast<std::int64_t>(timer.envelope->target.value());
    std::int64_t const late_ns = std::max<std::int64_t>(worker.core.now_ns() - timer.due_ns, 0);
    timer.due_ns = TimerWheel::time_after(timer.due_ns, (late_ns / interval_ns + 1) * interval_ns);
    worker.timers.add(timer);
    TickPayload const& payload = payload_of<TickPayload>(*timer.envelope);
    if (payload.use_count() > 1) {
        return; // The one before still waits.
    }
    try {
        Envelope* const tick = make_envelope<TickPayload>(*timer.envelope->ops, payload);
        tick->target = own_message;
        enqueue(worker, *timer.process, tick);
    } catch (std::bad_alloc const&) {
        return; // There may be memory for the next one.
    }
}

struct Bounce {
    void operator()(Envelope* unsent) const noexcept { bounce(unsent); }
};

} // namespace

namespace {

std::uint64_t arm(Duration delay, Envelope* envelope, void (*fire)(TimerNode&), void** node) {
    std::unique_ptr<Envelope, Bounce> owner(envelope);
    RuntimeScope const scope;
    ensure_worker();
    Process* const process = t_context.process;
    if (process == nullptr) {
        throw std::logic_error("send_after() works inside a process only");
    }
    Worker& worker = *t_context.worker;
    MessageTimer& timer = worker.timer_pool.take();
    std::uint64_t const sequence = worker.next_sequence();
    std::atomic_ref(timer.sequence).store(sequence, std::memory_order_relaxed);
    timer.due_ns = TimerWheel::time_after(worker.core.now_ns(), delay.count());
    timer.fire = fire;
    timer.process = process;
    timer.envelope = owner.release();
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

} // namespace

std::uint64_t send_later(Duration delay, Envelope* envelope, void** node) {
    return arm(delay, envelope, &fire_message, node);
}

std::uint64_t send_every(Duration interval, MessageOps const& ops, TickPayload payload, void** node) {
    if (interval <= Duration(0)) {
        throw std::invalid_argument("send_interval() wants a positive time");
    }
    Envelope* const envelope = make_envelope<TickPayload>(ops, std::move(payload));
    envelope->target = Pid::from_value(static_cast<std::uint64_t>(interval.count()));
    return arm(interval, envelope, &fire_interval, node);
}

void arm_idle_timeout(Duration delay, Envelope* envelope) {
    ProcessScope const scope("set_idle_timeout()");
    Process& process = scope.process();
    payload_of<IdleMark>(*envelope).messages_handled = process.messages_handled;
    Extras& extras = process.more();
    (void)cancel(extras.idle_timer);
    if (delay <= Duration(0)) {
        extras.idle_timer = {};
        envelope->target = own_message;
        enqueue(*t_context.worker, process, envelope);
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

void move_timers_out(Worker& worker, Process& process) noexcept {
    for (MessageTimer* timer = process.timers; timer != nullptr; timer = timer->next_timer) {
        worker.timers.remove(*timer);
    }
    for (Pending* pending = process.pendings_first; pending != nullptr; pending = pending->next_pending) {
        if (pending->is_armed()) {
            worker.timers.remove(*pending);
        } else {
            pending->due_ns = TimerWheel::never;
        }
    }
}

void take_timers_in(Worker& worker, Process& process) {
    for (MessageTimer* timer = process.timers; timer != nullptr; timer = timer->next_timer) {
        worker.timers.add(*timer);
    }
    for (Pending* pending = process.pendings_first; pending != nullptr; pending = pending->next_pending) {
        if (pending->due_ns != TimerWheel::never) {
            worker.timers.add(*pending);
        }
    }
}

void drop_timers(Worker& worker, Process& process) noexcept {
    while (MessageTimer* const timer = process.timers) {
        worker.timers.remove(*timer);
        forget(worker, *timer, ExitReason::noproc());
    }
}

} // namespace detail

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
    detail::ProcessScope const scope("cancel()");
    detail::MessageTimer* const node = detail::find_timer(scope.process(), timer);
    if (node == nullptr) {
        return false;
    }
    detail::Worker& worker = *detail::t_context.worker;
    worker.timers.remove(*node);
    detail::forget(worker, *node, ExitReason::normal());
    return true;
}

std::optional<Duration> time_left(Timer timer) {
    detail::ProcessScope const scope("time_left()");
    detail::MessageTimer const* const node = detail::find_timer(scope.process(), timer);
    if (node == nullptr) {
        return std::nullopt;
    }
    return Duration(std::max<std::int64_t>(node->due_ns - detail::t_context.core->now_ns(), 0));
}

} // namespace sinew
