#include "process/inspection.hpp"

#include "log/report.hpp"
#include "node/node_core.hpp"
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/introspection.hpp>

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
    if (inspection.trace) {
        inspection.trace->send(std::move(event));
    }
    if (--inspection.trace_left == 0) {
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

Inspection& inspect(Process& process) {
    auto& inspection = process.more().inspection;
    if (inspection == nullptr) {
        inspection = std::make_shared<Inspection>();
    }
    process.flags |= Process::is_inspected;
    return *inspection;
}

void drop_unneeded_inspection(Process& process) noexcept {
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        if (process.extras->inspection->is_needed()) {
            return;
        }
        process.extras->inspection.reset();
    }
    if (!process.has(Process::is_halted)) {
        process.flags &= ~Process::is_inspected;
    }
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

namespace sinew {

using detail::Process;
using detail::ProcessScope;

ProcessDetails SystemFace::handle_call(GetDetails /*request*/) {
    ProcessScope const scope("GetDetails");
    Process const& process = scope.process();
    ProcessDetails details{.label = detail::label_of(process),
                           .name = detail::name_of(process),
                           .ancestors = detail::ancestors_of(process),
                           .priority = process.priority,
                           .traps_exit = process.has(Process::traps_exit),
                           .state = detail::state_text(process)};
    if (process.extras != nullptr) {
        details.parent = process.extras->parent;
        details.monitors = process.extras->monitors.size();
        details.watchers = process.extras->watchers.size();
        for (auto const& [peer, unused] : process.extras->links.entries()) {
            details.links.push_back(peer);
        }
    }
    return details;
}

Result<Value> SystemFace::handle_call(GetState /*request*/) {
    ProcessScope const scope("GetState");
    Process const& process = scope.process();
    if (process.behaviour->encode_state == nullptr) {
        return failure(ErrorCode::unsupported,
                       detail::readable_type_name(*process.behaviour->type) +
                           " shows no state: it has no state() that returns a described struct");
    }
    return process.behaviour->encode_state(process.state);
}

Result<> SystemFace::handle_call(ReplaceState const& request) {
    ProcessScope const scope("ReplaceState");
    Process const& process = scope.process();
    if (process.behaviour->decode_state == nullptr) {
        return failure(ErrorCode::unsupported,
                       detail::readable_type_name(*process.behaviour->type) +
                           "'s state can't be replaced: it has no state() that returns a described struct "
                           "by a reference that isn't const");
    }
    return process.behaviour->decode_state(process.state, request.state);
}

void SystemFace::handle_call(Suspend /*request*/) {
    ProcessScope const scope("Suspend");
    scope.process().flags |= Process::is_held | Process::is_inspected;
}

void SystemFace::handle_call(Resume /*request*/) {
    ProcessScope const scope("Resume");
    Process& process = scope.process();
    process.flags &= ~Process::is_held;
    detail::drop_unneeded_inspection(process);
}

void SystemFace::handle_call(StartTrace request) {
    ProcessScope const scope("StartTrace");
    Process& process = scope.process();
    if (request.limit == 0 || !request.recipient || request.recipient.pid() == process.pid()) {
        return;
    }
    detail::Inspection& inspection = detail::inspect(process);
    inspection.trace = request.recipient;
    inspection.trace_left = request.limit;
}

void SystemFace::handle_call(StopTrace /*request*/) {
    ProcessScope const scope("StopTrace");
    Process& process = scope.process();
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        process.extras->inspection->trace.reset();
        detail::drop_unneeded_inspection(process);
    }
}

void SystemFace::handle_call(StartStatistics /*request*/) {
    ProcessScope const scope("StartStatistics");
    detail::Inspection& inspection = detail::inspect(scope.process());
    inspection.statistics.emplace();
    inspection.counted_since = now();
}

Result<Statistics> SystemFace::handle_call(GetStatistics /*request*/) {
    ProcessScope const scope("GetStatistics");
    Process const& process = scope.process();
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        detail::Inspection const& inspection = *process.extras->inspection;
        if (std::optional<Statistics> statistics = inspection.statistics) {
            statistics->counted = now() - inspection.counted_since;
            return *statistics;
        }
    }
    return failure(ErrorCode::not_found, "nothing is counted: send StartStatistics first");
}

void SystemFace::handle_call(StopStatistics /*request*/) {
    ProcessScope const scope("StopStatistics");
    Process& process = scope.process();
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        process.extras->inspection->statistics.reset();
        detail::drop_unneeded_inspection(process);
    }
}

} // namespace sinew
