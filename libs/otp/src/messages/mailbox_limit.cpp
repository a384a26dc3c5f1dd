#include "messages/mailbox_limit.hpp"

#include "core/context.hpp"
#include "core/inspection.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "log/report.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/mailbox.hpp>
#include <sinew/otp/pid.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace sinew {
namespace detail {
namespace {

constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();

void be_careful_from_the_next(Process& process) noexcept {
    process.careful_from = std::min(process.mailbox_limit != 0 ? process.mailbox_limit.get() : never,
                                    process.next_mailbox_warning != 0 ? process.next_mailbox_warning : never);
}

void warn(Process& process, Envelope const& envelope) noexcept {
    process.next_mailbox_warning =
        process.next_mailbox_warning > never / 2 ? never : 2 * process.next_mailbox_warning;
    try {
        std::string text = describe(process) + ": " + std::to_string(process.mailbox_length) +
                           " messages wait in its mailbox";
        if (envelope.ops->type != nullptr) {
            text += "; the newest is " + readable_type_name(*envelope.ops->type);
        }
        log::warning(text);
    } catch (std::exception const&) {
        return; // No memory for a warning.
    }
}

void drop(Process& process, Envelope& envelope) noexcept {
    process.messages_dropped += 1;
    envelope.ops->discard(envelope, ExitReason::mailbox_full());
    free_envelope(&envelope);
}

/// The oldest message that someone sent; not an answer that a continuation waits for, nor what the process
/// sent itself for later.
Envelope* take_oldest_sent(Process& process) noexcept {
    Envelope* before = nullptr;
    for (Envelope* at = process.mailbox_first; at != nullptr; before = at, at = at->next) {
        if (at->ops->kind == EnvelopeKind::message && at->ops->may_be_dropped && at->target != own_message) {
            process.remove_after(before, *at);
            return at;
        }
    }
    return nullptr;
}

} // namespace

void reset_mailbox_limit(Process& process) noexcept {
    process.mailbox_limit = 0;
    process.next_mailbox_warning = Process::first_mailbox_warning;
    process.careful_from = Process::first_mailbox_warning;
    process.overflow = MailboxLimit::Overflow::reject_newest;
    process.messages_dropped = 0;
    process.messages_under_way.store(0, std::memory_order_relaxed);
}

bool makes_room(Process& process, Envelope& envelope) noexcept {
    if (process.next_mailbox_warning != 0 && process.mailbox_length >= process.next_mailbox_warning) {
        warn(process, envelope);
        be_careful_from_the_next(process);
    }
    if (process.mailbox_limit == 0 || process.mailbox_length < process.mailbox_limit ||
        process.overflow == MailboxLimit::Overflow::block_sender) {
        return true;
    }
    Envelope* const oldest =
        process.overflow == MailboxLimit::Overflow::drop_oldest ? take_oldest_sent(process) : nullptr;
    drop(process, oldest != nullptr ? *oldest : envelope);
    return oldest != nullptr;
}

namespace {

/// From the sender, behind its message: where it waits for room.
struct WaitForRoom {
    Pid sender;
    Pid receiver;
};
/// The answer.
struct GoOn {
    Pid receiver;
};

void arrive_go_on(Process& process, Envelope& envelope) {
    PayloadScope<GoOn> const signal(envelope);
    if (!process.has(Process::is_blocked) || std::erase(process.extras->blocked_by, signal->receiver) == 0 ||
        !process.extras->blocked_by.empty()) {
        return;
    }
    process.flags &= ~Process::is_blocked;
    drop_unneeded_inspection(process);
    process.owner.load(std::memory_order_relaxed)->queue.make_runnable(process);
}
constexpr MessageOps go_on_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<GoOn>, .arrive = &arrive_go_on};

void send_go_on(Pid sender, Pid receiver) {
    deliver(sender, make_envelope<GoOn>(go_on_ops, receiver));
}

void arrive_wait_for_room(Process& process, Envelope& envelope) {
    PayloadScope<WaitForRoom> const signal(envelope);
    process.more().blocked_senders.push_back(signal->sender);
    process.flags |= Process::blocks_senders;
    let_senders_go_on(process);
}
void bounce_wait_for_room(Envelope& envelope, ExitReason const& /*reason*/) noexcept {
    PayloadScope<WaitForRoom> const signal(envelope);
    send_go_on(signal->sender, signal->receiver);
}
constexpr MessageOps wait_for_room_ops{
    .kind = EnvelopeKind::signal, .discard = &bounce_wait_for_room, .arrive = &arrive_wait_for_room};

} // namespace

void block_sender_if_full(Process& process, Pid pid) {
    std::uint32_t const length =
        process.mailbox_length.get() + process.messages_under_way.load(std::memory_order_relaxed);
    Process& sender = *t_context.process;
    std::uint32_t const limit = process.mailbox_limit;
    if (limit == 0 || length < limit || sender.has(Process::is_dying)) {
        return;
    }
    std::vector<Pid>& blocked_by = sender.more().blocked_by;
    if (std::ranges::find(blocked_by, pid) == blocked_by.end()) {
        blocked_by.push_back(pid);
        sender.flags |= Process::is_blocked | Process::is_inspected;
        deliver(pid, make_envelope<WaitForRoom>(wait_for_room_ops, sender.pid(), pid));
    }
}

void let_senders_go_on(Process& process) {
    if (process.overflow == MailboxLimit::Overflow::block_sender &&
        process.mailbox_length > process.mailbox_limit / 2) {
        return;
    }
    process.flags &= ~Process::blocks_senders;
    let_all_senders_go_on(process.pid(), *process.extras);
}

void let_all_senders_go_on(Pid pid, Extras& extras) {
    for (Pid const sender : std::exchange(extras.blocked_senders, {})) {
        send_go_on(sender, pid);
    }
}

} // namespace detail

void set_mailbox_limit(MailboxLimit limit) {
    detail::ProcessScope const scope("set_mailbox_limit()");
    detail::Process& process = scope.process();
    process.mailbox_limit = limit.length;
    process.overflow = limit.overflow;
    process.next_mailbox_warning = limit.warn_from;
    detail::be_careful_from_the_next(process);
}

} // namespace sinew
