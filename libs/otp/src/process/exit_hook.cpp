#include "core/context.hpp"
#include "core/process.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/exit_hook.hpp>
#include <sinew/otp/exit_reason.hpp>

#include <memory>
#include <utility>

namespace sinew::detail {
namespace {

struct HookSignal {
    std::shared_ptr<ExitHook> hook;
    Pid process;
};

void arrive_hook(Process& process, Envelope& envelope) {
    PayloadScope<HookSignal> const signal(envelope);
    if (process.has(Process::is_dying)) {
        signal->hook->process_ended(process.pid(), process.exit_reason);
    } else {
        process.more().exit_hooks.push_back(std::move(signal->hook));
    }
}
void bounce_hook(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<HookSignal> const signal(envelope);
    signal->hook->process_ended(signal->process, reason);
}
constexpr MessageOps hook_ops{.kind = EnvelopeKind::signal, .discard = &bounce_hook, .arrive = &arrive_hook};

} // namespace

bool on_exit(std::shared_ptr<ExitHook> hook) {
    ProcessScope const scope("a table or a registry");
    Process& process = scope.process();
    if (process.has(Process::is_dying)) {
        return false;
    }
    process.more().exit_hooks.push_back(std::move(hook));
    return true;
}

void on_exit_of(Pid pid, std::shared_ptr<ExitHook> hook) {
    deliver(pid, make_envelope<HookSignal>(hook_ops, std::move(hook), pid));
}

Behaviour const& current_behaviour() {
    ProcessScope const scope("a registry");
    return *scope.process().behaviour;
}

} // namespace sinew::detail
