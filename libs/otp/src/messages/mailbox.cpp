#include "messages/mailbox.hpp"

#include "core/process.hpp"
#include "core/system_messages.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/receive.hpp>

#include <utility>

namespace sinew::detail {
namespace {

/// Takes every message out of the mailbox that `is_unwanted`.
template<typename Predicate>
void remove_messages(Process& process, Predicate&& is_unwanted) noexcept {
    Envelope* rest = std::exchange(process.mailbox_first, nullptr);
    process.mailbox_last = nullptr;
    process.mailbox_length = 0;
    while (rest != nullptr) {
        Envelope* const envelope = std::exchange(rest, rest->next);
        if (is_unwanted(*envelope)) {
            envelope->ops->discard(*envelope, ExitReason::normal());
            free_envelope(envelope);
        } else {
            process.append(envelope);
        }
    }
}

} // namespace

bool is_parent_exit(Process const& process, Envelope& envelope) noexcept {
    return envelope.ops == &exit_message_ops && process.extras != nullptr && process.extras->parent &&
           process.extras->parent == payload_of<Exit>(envelope).from;
}

bool is_handled_anyway(Process const& process, Envelope& envelope) noexcept {
    return envelope.ops->is_system || envelope.ops->kind == EnvelopeKind::reply ||
           is_parent_exit(process, envelope);
}

bool is_awaited(Process const& process, Envelope& envelope) noexcept {
    return is_handled_anyway(process, envelope) ||
           (!process.has(Process::is_halted) && process.extras->receiving->wants(envelope));
}

void flush_exits(Process& process, Pid from) noexcept {
    remove_messages(process, [from](Envelope& envelope) {
        return envelope.ops == &exit_message_ops && payload_of<Exit>(envelope).from == from;
    });
}

void flush_downs(Process& process, MonitorRef ref) noexcept {
    remove_messages(process, [ref](Envelope& envelope) {
        return envelope.ops == &down_message_ops && payload_of<Down>(envelope).monitor == ref;
    });
}

} // namespace sinew::detail
