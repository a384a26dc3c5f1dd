#include "process/inspected.hpp"

#include "core/context.hpp"
#include "core/inspection.hpp"
#include "core/process.hpp"
#include "messages/mailbox.hpp"
#include "process/handle.hpp"
#include "process/receive.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/introspection.hpp>
#include <sinew/otp/process.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

namespace sinew::detail {
namespace {

std::string message_name(std::type_info const* message) {
    return message != nullptr ? readable_type_name(*message) : "an answer";
}

/// The first message that a suspended process handles, out of its mailbox; null: there is none.
Envelope* take_system_message(Process& process) noexcept {
    Envelope* previous = nullptr;
    for (Envelope* envelope = process.mailbox_first; envelope != nullptr; envelope = envelope->next) {
        if (envelope->ops->is_system || is_parent_exit(process, *envelope)) {
            process.remove_after(previous, *envelope);
            return envelope;
        }
        previous = envelope;
    }
    return nullptr;
}

Attention attend_suspended(Worker& worker, Process& process) {
    while (Envelope* const envelope = take_system_message(process)) {
        handle(worker, process, envelope);
        if (!process.has(Process::is_halted) || process.has(Process::stop_requested | Process::is_doomed)) {
            return Attention::again;
        }
    }
    return Attention::wait;
}

void tell_trace(Inspection& inspection, TraceEvent event) {
    if (!inspection.trace) {
        return;
    }
    bool const is_wanted = is_alive(inspection.trace->pid());
    if (is_wanted) {
        inspection.trace->send(std::move(event));
    }
    if (--inspection.trace_left == 0 || !is_wanted) {
        inspection.trace.reset();
    }
}

void count(Statistics& statistics, TraceEvent const& event) {
    ++statistics.messages;
    statistics.busy += event.took;
    if (event.took >= statistics.longest) {
        statistics.longest = event.took;
        statistics.longest_message = event.message;
    }
}

void deliver_stall_end(void* /*state*/, Envelope& envelope) {
    destroy_payload<char>(envelope);
    Process& process = *t_context.process;
    process.flags &= ~Process::is_held;
    drop_unneeded_inspection(process);
}
constexpr MessageOps stall_end_ops{.deliver = &deliver_stall_end,
                                   .discard = &discard_payload<char>,
                                   .type = &typeid(Duration),
                                   .is_system = true};

/// True: the hook has dealt with the message, which is out of the mailbox or stays there.
bool is_taken_by_hook(Worker& worker, Process& process, MessageHook& hook, std::type_info const* message) {
    MessageHook::Verdict const verdict = hook.before_message(process, message);
    switch (verdict.kind) {
    case MessageHook::Verdict::Kind::handle:
        return false;
    case MessageHook::Verdict::Kind::drop:
        hook.lose(process.pop());
        return true;
    case MessageHook::Verdict::Kind::crash:
        crash(worker, process);
        return true;
    case MessageHook::Verdict::Kind::stall:
        stall(process, verdict.time);
        return true;
    }
    return false;
}

} // namespace

void stall(Process& process, Duration time) {
    process.flags |= Process::is_held | Process::is_inspected;
    void* node = nullptr;
    (void)send_later(time, make_envelope<char>(stall_end_ops, '\0'), &node);
}

Attention attend_inspected(Worker& worker, Process& process) {
    if (process.has(Process::is_halted)) {
        return attend_suspended(worker, process);
    }
    // The handler may end what is inspected.
    std::shared_ptr<Inspection> const inspection = process.extras->inspection;
    if (inspection == nullptr || process.mailbox_first == nullptr) {
        return Attention::go_on;
    }
    MessageOps const& ops = *process.mailbox_first->ops;
    std::type_info const* const message = ops.kind == EnvelopeKind::reply ? nullptr : ops.type;
    std::shared_ptr<MessageHook> const hook = inspection->hook;
    if (hook != nullptr && !ops.is_system && is_taken_by_hook(worker, process, *hook, message)) {
        return process.has(Process::is_halted) ? Attention::wait : Attention::again;
    }
    TraceEvent event{.process = process.pid(), .began = now(), .message = message_name(message)};
    if (hook != nullptr) {
        hook->enter_handler();
    }
    handle_or_receive(worker, process, process.pop());
    if (hook != nullptr) {
        hook->leave_handler();
    }
    event.took = now() - event.began;
    event.mailbox_length = process.mailbox_length;
    event.has_failed = process.has(Process::has_crashed);
    if (std::optional<Statistics>& statistics = inspection->statistics; statistics && !ops.is_system) {
        count(*statistics, event);
    }
    if (inspection->trace && !ops.is_system) {
        tell_trace(*inspection, std::move(event));
    }
    drop_unneeded_inspection(process);
    return Attention::again;
}

} // namespace sinew::detail
