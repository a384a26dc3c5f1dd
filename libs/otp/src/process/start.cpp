#include "process/start.hpp"

#include "core/context.hpp"
#include "core/inspection.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "process/guard.hpp"
#include "process/stop.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/process.hpp>

#include <memory>
#include <string>
#include <utility>

namespace sinew::detail {
namespace {

/// The names it asked for; false: one is taken, and the start has failed.
bool claim_names(Process& process) {
    StartInfo& start = *process.start;
    Registry& registry = t_context.core->registry;
    Pid const pid = process.pid();
    Pid holder;
    if (start.type_slot != no_type_slot) {
        holder = registry.claim_type(start.type_slot, pid);
        if (!holder) {
            process.more().type_slot = start.type_slot;
        }
    }
    if (!holder && !start.name.empty()) {
        holder = registry.claim_name(start.name, *process.behaviour, pid);
        if (!holder) {
            process.more().names.push_back(start.name);
        }
    }
    if (!holder && start.via != nullptr) {
        holder = start.via->claim(pid, *process.behaviour);
    }
    if (!holder) {
        return true;
    }
    start.is_name_taken = true;
    doom(process, ExitReason::error("the name is taken by " + holder.to_string(), "already_started"));
    return false;
}

void arrive_start_timeout(Process& process, Envelope& envelope) {
    destroy_payload<char>(envelope);
    if (process.has(Process::is_initialising)) {
        process.start->is_timed_out = true;
        doom(process, ExitReason::error("init() took too long", "timeout"));
    }
}
constexpr MessageOps start_timeout_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<char>, .arrive = &arrive_start_timeout};

} // namespace

void begin_start(Process& process) {
    process.flags = (process.flags & ~Process::needs_start) | Process::is_initialising;
    if (t_context.core->message_hook != nullptr) {
        inspect(process).hook = t_context.core->message_hook;
    }
    if (!claim_names(process)) {
        return;
    }
    if (StartInfo& start = *process.start; start.timeout != Duration::max()) {
        start.timer.sequence =
            send_later(start.timeout, make_envelope<char>(start_timeout_ops, '\0'), &start.timer.node);
    }
    guarded(process, &in_init, [&] {
        HandlerScope const scope;
        process.state = process.start->blueprint->construct();
        process.behaviour->init(process.state);
    });
}

void init_done(Result<Start> result) {
    ProcessScope const scope("init()");
    Process& process = scope.process();
    StartInfo& start = *process.start;
    if (!result) {
        doom(process, ExitReason::error(result.error().message(), to_string(result.error().code())));
        return;
    }
    if (*result == Start::ignore) {
        start.is_ignored = true;
        doom(process, ExitReason::normal());
        return;
    }
    if (process.has(Process::stop_requested)) {
        doom(process, std::exchange(process.exit_reason, {})); // stop() in init() is a failed start.
        return;
    }
    process.flags &= ~Process::is_initialising;
    std::unique_ptr<StartInfo> const done(std::exchange(process.start, nullptr));
    if (done->timer.sequence != 0) {
        (void)cancel(done->timer);
    }
    if (done->on_started) {
        done->on_started.answer(make_reply<Pid>(done->on_started, process.pid()));
    }
}

} // namespace sinew::detail
