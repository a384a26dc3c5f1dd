// How an envelope gets to its process: now, from any thread, or later.
#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/single_worker.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/mailbox.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sinew::detail {
namespace {

/// Whether its sender is to wait when the mailbox is full.
bool has_to_wait_for(Process const& process, Envelope const& envelope) noexcept {
    return process.overflow.get() == MailboxLimit::Overflow::block_sender && envelope.ops->may_be_dropped &&
           t_context.process != nullptr && t_context.process != &process;
}

void deliver_from_outside(NodeCore& core, Pid target, Envelope* envelope) {
    Process* const process = core.find(target);
    if (process == nullptr || process->identity.load(std::memory_order_acquire) != target.value()) {
        bounce(envelope);
    } else {
        push_from_outside(*process, target, envelope);
    }
}

void deliver_in(NodeCore& core, Pid target, Envelope* envelope) {
    RuntimeScope const scope;
    Worker* const worker = t_context.worker;
    if (worker == nullptr || &worker->core != &core) {
        deliver_from_outside(core, target, envelope);
        return;
    }
    Process* const process = core.slots.find(target, acquire_from_workers);
    if (process == nullptr || process->identity.load(acquire_from_workers) != target.value()) {
        bounce(envelope);
    } else if (single_worker || process->owner.load(acquire_from_workers) == worker) {
        if (worker->has_outgoing_for(*process)) [[unlikely]] {
            // It has come here from another worker since: what was sent before goes first.
            worker->flush_remote();
        }
        if (process->remote.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
            (void)worker->drain_remote(*process);
        }
        process->streak_sender = 0;
        bool const may_block = has_to_wait_for(*process, *envelope);
        worker->accept(*process, envelope);
        if (may_block) [[unlikely]] {
            block_sender_if_full(*process, target);
        }
    } else if (has_to_wait_for(*process, *envelope)) [[unlikely]] {
        process->messages_under_way.fetch_add(1, std::memory_order_relaxed);
        worker->send_remote(*process, target, envelope);
        block_sender_if_full(*process, target);
    } else {
        worker->send_remote(*process, target, envelope);
    }
}

struct Bounce {
    void operator()(Envelope* unsent) const noexcept { bounce(unsent); }
};

void fire_message(TimerNode& node) {
    auto& timer = static_cast<MessageTimer&>(node);
    Worker& worker = *t_context.worker;
    Process& process = *timer.process;
    Envelope* const envelope = std::exchange(timer.envelope, nullptr);
    worker.forget_timer(timer, {});
    if (envelope->ops->kind == EnvelopeKind::message) {
        envelope->target = own_message;
        worker.enqueue(process, envelope);
    } else {
        worker.accept(process, envelope);
    }
}

} // namespace

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

void deliver(Pid target, Envelope* envelope) {
    deliver_in(require_core(), target, envelope);
}

void deliver(Node& node, Pid target, Envelope* envelope) {
    deliver_in(node.core(), target, envelope);
}

void send_first(Envelope* envelope) {
    ProcessScope const scope("continue_with()");
    envelope->target = own_message;
    scope.process().prepend(envelope);
}

std::uint64_t send_later(Duration delay, Envelope* envelope, void** node) {
    std::unique_ptr<Envelope, Bounce> owner(envelope);
    RuntimeScope const scope;
    ensure_worker();
    Process* const process = t_context.process;
    if (process == nullptr) {
        throw std::logic_error("send_after() works inside a process only");
    }
    Worker& worker = *t_context.worker;
    MessageTimer& timer = worker.take_timer();
    std::uint64_t const sequence = worker.next_sequence();
    std::atomic_ref(timer.sequence).store(sequence, std::memory_order_relaxed);
    timer.due_ns = TimerWheel::time_after(worker.core.now_ns(), delay.count());
    timer.fire = &fire_message;
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

void arm_idle_timeout(Duration delay, Envelope* envelope) {
    ProcessScope const scope("set_idle_timeout()");
    Process& process = scope.process();
    payload_of<IdleMark>(*envelope).messages_handled = process.messages_handled;
    Extras& extras = process.more();
    (void)cancel(extras.idle_timer);
    if (delay <= Duration(0)) {
        extras.idle_timer = {};
        envelope->target = own_message;
        t_context.worker->enqueue(process, envelope);
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

} // namespace sinew::detail
