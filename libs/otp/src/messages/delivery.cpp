#include "messages/delivery.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/single_worker.hpp"
#include "core/worker.hpp"
#include "messages/mailbox.hpp"
#include "messages/mailbox_limit.hpp"
#include "messages/pending.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/mailbox.hpp>
#include <sinew/otp/node.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace sinew::detail {
namespace {

void deliver_in(NodeCore& core, Pid target, Envelope* envelope);
void deliver_from_outside(NodeCore& core, Pid target, Envelope* envelope);
void deliver_here(Worker& worker, Process& process, Pid target, Envelope* envelope);
void deliver_elsewhere(Worker& worker, Process& process, Pid target, Envelope* envelope);

} // namespace

void deliver(Pid target, Envelope* envelope) {
    deliver_in(require_core(), target, envelope);
}

void deliver(Node& node, Pid target, Envelope* envelope) {
    deliver_in(node.core(), target, envelope);
}

namespace {

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
        deliver_here(*worker, *process, target, envelope);
    } else {
        deliver_elsewhere(*worker, *process, target, envelope);
    }
}

/// Whether its sender is to wait when the mailbox is full.
bool has_to_wait_for(Process const& process, Envelope const& envelope) noexcept {
    return process.overflow.get() == MailboxLimit::Overflow::block_sender && envelope.ops->may_be_dropped &&
           t_context.process != nullptr && t_context.process != &process;
}

void deliver_here(Worker& worker, Process& process, Pid target, Envelope* envelope) {
    if (worker.outgoing.is_for(process)) [[unlikely]] {
        // It has come here from another worker since: what was sent before goes first.
        worker.flush_remote();
    }
    if (process.remote.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
        (void)take_remote_messages(worker, process);
    }
    process.streak_sender = 0;
    bool const may_block = has_to_wait_for(process, *envelope);
    accept(worker, process, envelope);
    if (may_block) [[unlikely]] {
        block_sender_if_full(process, target);
    }
}

void deliver_elsewhere(Worker& worker, Process& process, Pid target, Envelope* envelope) {
    bool const may_block = has_to_wait_for(process, *envelope);
    if (may_block) [[unlikely]] {
        process.messages_under_way.fetch_add(1, std::memory_order_relaxed);
    }
    worker.send_remote(process, target, envelope);
    if (may_block) [[unlikely]] {
        block_sender_if_full(process, target);
    }
}

void deliver_from_outside(NodeCore& core, Pid target, Envelope* envelope) {
    Process* const process = core.find(target);
    if (process == nullptr || process->identity.load(std::memory_order_acquire) != target.value()) {
        bounce(envelope);
    } else {
        push_from_outside(*process, target, envelope);
    }
}

} // namespace

void accept(Worker& worker, Process& process, Envelope* envelope) {
    switch (envelope->ops->kind) {
    case EnvelopeKind::message:
        if (process.mailbox_length >= process.careful_from && envelope->ops->may_be_dropped &&
            !makes_room(process, *envelope)) [[unlikely]] {
            return;
        }
        enqueue(worker, process, envelope);
        return;
    case EnvelopeKind::reply:
        accept_reply(worker, process, envelope);
        return;
    case EnvelopeKind::signal: {
        EnvelopeOwner const owner(envelope);
        envelope->ops->arrive(process, *envelope);
        return;
    }
    }
}

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

bool take_remote_messages(Worker& worker, Process& process) {
    Envelope* list = process.remote.exchange(nullptr, std::memory_order_seq_cst);
    Envelope* in_order = nullptr;
    while (list != nullptr) {
        Envelope* const next = list->next;
        list->next = in_order;
        in_order = list;
        list = next;
    }
    std::uint64_t const identity = process.identity.load(std::memory_order_relaxed);
    std::uint32_t under_way = process.messages_under_way.load(std::memory_order_relaxed);
    bool is_for_the_living = false;
    while (in_order != nullptr) {
        Envelope* const envelope = std::exchange(in_order, in_order->next);
        if (under_way != 0 && envelope->ops->may_be_dropped) {
            --under_way; // Only here they become fewer.
            process.messages_under_way.fetch_sub(1, std::memory_order_relaxed);
        }
        if (envelope->target.value() == identity) {
            accept(worker, process, envelope);
            ++worker.remote_messages;
            is_for_the_living = true;
        } else {
            bounce(envelope);
        }
    }
    return is_for_the_living;
}

void send_first(Envelope* envelope) {
    ProcessScope const scope("continue_with()");
    envelope->target = own_message;
    scope.process().prepend(envelope);
}

} // namespace sinew::detail
