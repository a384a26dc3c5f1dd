// Links, monitors, exits: signals act when they reach a process, ahead of its mailbox, and in the order they
// were sent.
#include "process/signals.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/system_messages.hpp"
#include "core/worker.hpp"
#include "log/report.hpp"
#include "messages/mailbox.hpp"
#include "process/stop.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/process.hpp>

#include <memory>
#include <typeinfo>
#include <utility>

namespace sinew::detail {
namespace {

struct ExitSignal {
    Pid from;
    ExitReason reason;
    ExitCause cause = ExitCause::request;
};
struct LinkSignal {
    Pid from;
    Pid to;
};
struct UnlinkSignal {
    Pid from;
};
struct MonitorSignal {
    Pid from;
    Pid to;
    MonitorRef ref;
};
struct DemonitorSignal {
    MonitorRef ref;
};

Worker& owner_of(Process& process) {
    return *process.owner.load(std::memory_order_relaxed);
}

bool is_from_parent(Process const& process, Exit const& message) {
    RuntimeScope const scope;
    return message.from && process.extras != nullptr && process.extras->parent == message.from;
}

void deliver_exit_message(void* state, Envelope& envelope) {
    PayloadScope<Exit> const message(envelope);
    Process& process = *t_context.process;
    if (is_from_parent(process, *message)) {
        RuntimeScope const scope;
        request_stop(process, message->reason);
        process.flags &= ~Process::has_crashed;
    } else if (process.behaviour->handle_exit != nullptr) {
        process.behaviour->handle_exit(state, std::move(*message));
    } else {
        report_unhandled(process, "an Exit message (" + message->reason.to_string() + ")");
    }
}

void deliver_down_message(void* state, Envelope& envelope) {
    PayloadScope<Down> const message(envelope);
    Process const& process = *t_context.process;
    if (process.behaviour->handle_down != nullptr) {
        process.behaviour->handle_down(state, std::move(*message));
    } else {
        report_unhandled(process, "a Down message (" + message->reason.to_string() + ")");
    }
}

} // namespace

constinit MessageOps const exit_message_ops{.deliver = &deliver_exit_message,
                                            .discard = &discard_payload<Exit>,
                                            .type = &typeid(Exit),
                                            .form = PayloadForm::message};
constinit MessageOps const down_message_ops{.deliver = &deliver_down_message,
                                            .discard = &discard_payload<Down>,
                                            .type = &typeid(Down),
                                            .form = PayloadForm::message};

namespace {

void arrive_exit(Process& process, Envelope& envelope) {
    PayloadScope<ExitSignal> const signal(envelope);
    if (signal->cause == ExitCause::link) {
        // An unlink that was under way wins.
        if (process.extras == nullptr || !process.extras->links.erase(signal->from)) {
            return;
        }
    } else if (signal->reason.kind() == ExitReason::Kind::kill) {
        process.flags &= ~Process::is_doomed;
        doom(process, ExitReason::killed());
        return;
    }
    if (process.has(Process::traps_exit)) {
        Envelope* const message =
            make_envelope<Exit>(exit_message_ops, signal->from, std::move(signal->reason));
        message->target = process.pid();
        enqueue(owner_of(process), process, message);
        return;
    }
    if (signal->reason.kind() == ExitReason::Kind::normal && signal->from != process.pid()) {
        return;
    }
    doom(process, std::move(signal->reason));
}

void arrive_link(Process& process, Envelope& envelope) {
    PayloadScope<LinkSignal> const signal(envelope);
    process.more().links.insert(signal->from, 0);
}
void bounce_link(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<LinkSignal> const signal(envelope);
    send_exit(signal->from, signal->to, reason, ExitCause::link);
}

void arrive_unlink(Process& process, Envelope& envelope) {
    PayloadScope<UnlinkSignal> const signal(envelope);
    if (process.extras != nullptr) {
        process.extras->links.erase(signal->from);
    }
}

void arrive_monitor(Process& process, Envelope& envelope) {
    PayloadScope<MonitorSignal> const signal(envelope);
    process.more().watchers.insert(signal->ref, signal->from);
}
void bounce_monitor(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<MonitorSignal> const signal(envelope);
    send_down(signal->from, Down{signal->ref, signal->to, reason});
}

void arrive_demonitor(Process& process, Envelope& envelope) {
    PayloadScope<DemonitorSignal> const signal(envelope);
    if (process.extras != nullptr) {
        process.extras->watchers.erase(signal->ref);
    }
}

void arrive_down(Process& process, Envelope& envelope) {
    PayloadScope<Down> const signal(envelope);
    if (process.extras == nullptr || !process.extras->monitors.erase(signal->monitor)) {
        return;
    }
    Envelope* const message = make_envelope<Down>(down_message_ops, std::move(*signal));
    message->target = process.pid();
    enqueue(owner_of(process), process, message);
}

struct WaitForEndSignal {
    ReplyPath path;
};
void arrive_wait_for_end(Process& process, Envelope& envelope) {
    PayloadScope<WaitForEndSignal> const signal(envelope);
    process.more().end_waiters.push_back(std::move(signal->path));
}
void bounce_wait_for_end(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<WaitForEndSignal> const signal(envelope);
    signal->path.answer(make_reply<ExitReason>(signal->path, reason));
}

constexpr MessageOps wait_for_end_ops{
    .kind = EnvelopeKind::signal, .discard = &bounce_wait_for_end, .arrive = &arrive_wait_for_end};
constexpr MessageOps exit_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<ExitSignal>, .arrive = &arrive_exit};
constexpr MessageOps link_ops{.kind = EnvelopeKind::signal, .discard = &bounce_link, .arrive = &arrive_link};
constexpr MessageOps unlink_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<UnlinkSignal>, .arrive = &arrive_unlink};
constexpr MessageOps monitor_ops{
    .kind = EnvelopeKind::signal, .discard = &bounce_monitor, .arrive = &arrive_monitor};
constexpr MessageOps demonitor_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<DemonitorSignal>, .arrive = &arrive_demonitor};
constexpr MessageOps down_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<Down>, .arrive = &arrive_down};

} // namespace

void send_exit(Pid to, Pid from, ExitReason reason, ExitCause cause) {
    deliver(to, make_envelope<ExitSignal>(exit_ops, from, std::move(reason), cause));
}
void send_link(Pid to, Pid from) {
    deliver(to, make_envelope<LinkSignal>(link_ops, from, to));
}
void send_unlink(Pid to, Pid from) {
    deliver(to, make_envelope<UnlinkSignal>(unlink_ops, from));
}
void send_monitor(Pid to, Pid from, MonitorRef ref) {
    deliver(to, make_envelope<MonitorSignal>(monitor_ops, from, to, ref));
}
void send_demonitor(Pid to, MonitorRef ref) {
    deliver(to, make_envelope<DemonitorSignal>(demonitor_ops, ref));
}
void send_down(Pid to, Down down) {
    deliver(to, make_envelope<Down>(down_ops, std::move(down)));
}

Request<ExitReason> end_process(Pid to, ExitReason reason, Duration timeout) {
    return Request<ExitReason>(custom_request(
        [to, reason = std::move(reason)](ReplyPath path) {
            deliver(to, make_envelope<WaitForEndSignal>(wait_for_end_ops, std::move(path)));
            send_exit(to, self(), reason, ExitCause::request);
        },
        RequestLabel{.target = to, .target_name = "process"}, timeout));
}

} // namespace sinew::detail
