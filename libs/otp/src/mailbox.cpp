// Long mailboxes: warnings and limits.
#include "context.hpp"
#include "kernel.hpp"
#include "process.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/mailbox.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <string>

namespace sinew {
namespace detail {
namespace {

constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();

void be_careful_from_the_next(Process& process) noexcept {
    process.careful_from = std::min(process.mailbox_limit != 0 ? process.mailbox_limit : never,
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

/// The oldest message that someone sent; not an answer that a continuation waits for.
Envelope* take_oldest_sent(Process& process) noexcept {
    Envelope* before = nullptr;
    for (Envelope* at = process.mailbox_first; at != nullptr; before = at, at = at->next) {
        if (at->ops->kind == EnvelopeKind::message && at->ops->may_be_dropped) {
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
}

bool makes_room(Process& process, Envelope& envelope) noexcept {
    if (process.next_mailbox_warning != 0 && process.mailbox_length >= process.next_mailbox_warning) {
        warn(process, envelope);
        be_careful_from_the_next(process);
    }
    if (process.mailbox_limit == 0 || process.mailbox_length < process.mailbox_limit) {
        return true;
    }
    Envelope* const oldest =
        process.overflow == MailboxLimit::Overflow::drop_oldest ? take_oldest_sent(process) : nullptr;
    drop(process, oldest != nullptr ? *oldest : envelope);
    return oldest != nullptr;
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
