#include "process/handle.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/pending.hpp"
#include "process/guard.hpp"

#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>

#include <optional>
#include <stdexcept>
#include <utility>

namespace sinew::detail {

void handle(Worker& worker, Process& process, Envelope* envelope) noexcept {
    process.messages_handled += 1;
    worker.turns += 1;
    worker.handling = envelope->ops;
    guarded(process, &in_handler, [&] {
        if (envelope->ops->kind == EnvelopeKind::reply) {
            dispatch_reply(process, std::exchange(envelope, nullptr));
        } else {
            HandlerScope const scope;
            envelope->ops->deliver(process.state, *envelope);
        }
    });
    if (envelope != nullptr) {
        free_envelope(envelope);
    }
}

void start_root(Async<void> root) {
    root.handle().resume();
    ProcessScope const scope("an Async handler");
    Process& process = scope.process();
    if (process.has(Process::is_suspended)) {
        process.more().root.emplace(std::move(root));
        return;
    }
    root.handle().promise().take();
}

void resume(Process& process) {
    Extras& extras = *process.extras;
    process.flags &= ~(Process::is_ready | Process::is_suspended);
    Pending& ready = *std::exchange(extras.ready, nullptr);
    guarded(process,
            process.has(Process::is_initialising)  ? &in_init
            : process.has(Process::is_terminating) ? &in_terminate
                                                   : &in_handler,
            [&] {
                {
                    HandlerScope const scope;
                    std::exchange(ready.waiter, {}).resume();
                }
                if (process.has(Process::is_suspended)) {
                    return;
                }
                Async<void> const finished = *std::exchange(extras.root, std::nullopt);
                finished.handle().promise().take();
            });
}

void end_coroutine(Process& process) noexcept {
    process.flags &= ~(Process::is_suspended | Process::is_receiving | Process::is_ready);
    process.extras->receiving = nullptr;
    process.extras->ready = nullptr;
    DyingScope const scope(process.exit_reason);
    HandlerScope const handler;
    process.extras->root.reset();
}

void crash(Worker& worker, Process& process) noexcept {
    worker.handling = process.mailbox_first->ops;
    guarded(process, &in_handler, [] { throw std::runtime_error("a simulated fault"); });
}

} // namespace sinew::detail
