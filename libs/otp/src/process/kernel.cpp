#include "process/kernel.hpp"

#include "node/node_core.hpp"
#include "process/inspection.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/worker.hpp"

#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/process.hpp>

#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

void fail_handler(Process& process, std::exception_ptr const& exception, std::string const& origin) {
    // Who waits for answers hears of its end.
    process.flags = (process.flags & ~Process::has_unanswered) | Process::has_crashed;
    MessageOps const* const handling = t_context.worker->handling;
    if (process.extras == nullptr) {
        process.extras = new (std::nothrow) Extras; // It may be out of memory that it fails.
    }
    if (process.extras != nullptr) {
        process.extras->failed_message = handling != nullptr ? handling->type : nullptr;
    }
    ExitReason reason = ExitReason::from_exception(exception, origin);
    if (process.has(Process::is_terminating) || process.has(Process::is_initialising)) {
        doom(process, std::move(reason));
        process.flags |= Process::has_crashed;
        return;
    }
    // The first failure counts; a stop that was asked for before it doesn't.
    process.flags &= ~Process::stop_requested;
    request_stop(process, std::move(reason));
}

/// The exceptions that passed by them were caught: these are calls whose handler dropped its Deferred.
void let_unanswered_go(Process& process) noexcept {
    process.flags &= ~Process::has_unanswered;
    for (ReplyPath& path : std::exchange(process.extras->unanswered, {})) {
        path.fail(RequestFailure::dropped);
    }
}

/// Runs `step`; what it throws ends the process.
template<typename Step>
void guarded(Process& process, std::string const& (*origin)(), Step&& step) noexcept {
    try {
        std::forward<Step>(step)();
        if (process.has(Process::has_unanswered)) [[unlikely]] {
            let_unanswered_go(process);
        }
    } catch (ExitRequest& request) {
        process.flags &= ~Process::has_unanswered; // They hear of its end.
        if (process.has(Process::is_terminating) || process.has(Process::is_initialising)) {
            doom(process, std::move(request.reason));
        } else {
            process.flags &= ~Process::stop_requested;
            request_stop(process, std::move(request.reason));
        }
    } catch (...) {
        fail_handler(process, std::current_exception(), origin());
    }
}

std::string const& in_init() {
    static std::string const text = "init()";
    return text;
}
std::string const& in_terminate() {
    static std::string const text = "terminate()";
    return text;
}
std::string const& in_handler() {
    static std::string const text = "a handler";
    return text;
}

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

void begin_terminate(Process& process) {
    process.flags |= Process::is_terminating;
    if (process.behaviour->terminate != nullptr) {
        guarded(process, &in_terminate, [&] {
            // A copy: while the handler is stuck, the reason may change.
            ExitReason const reason = process.exit_reason;
            HandlerScope const scope;
            process.behaviour->terminate(process.state, reason);
        });
    }
}

} // namespace

Attention attend(Worker& worker, Process& process) {
    worker.turns += 1;
    worker.handling = nullptr;
    for (;;) {
        if (process.has(Process::is_doomed)) {
            die(worker, process);
            return Attention::ended;
        }
        if (process.has(Process::is_moving)) {
            return Attention::wait;
        }
        if (process.has(Process::blocks_senders)) {
            let_senders_go_on(process);
        }
        if (process.has(Process::needs_start)) {
            begin_start(process);
        } else if (process.has(Process::is_receiving)) {
            return attend_receiving(worker, process);
        } else if (process.has(Process::is_suspended)) {
            if (!process.has(Process::is_ready) || process.has(Process::is_blocked)) {
                return Attention::wait;
            }
            resume(process);
        } else if (process.has(Process::is_terminating)) {
            die(worker, process);
            return Attention::ended;
        } else if (process.has(Process::stop_requested)) {
            begin_terminate(process);
        } else if (process.has(Process::is_inspected)) {
            return attend_inspected(worker, process);
        } else {
            return Attention::go_on;
        }
    }
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

void crash(Worker& worker, Process& process) noexcept {
    worker.handling = process.mailbox_first->ops;
    guarded(process, &in_handler, [] { throw std::runtime_error("a simulated fault"); });
}

namespace {

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

} // namespace

void stall(Process& process, Duration time) {
    process.flags |= Process::is_held | Process::is_inspected;
    void* node = nullptr;
    (void)send_later(time, make_envelope<char>(stall_end_ops, '\0'), &node);
}

void doom(Process& process, ExitReason reason) {
    if (process.has(Process::is_doomed | Process::is_dying)) {
        return;
    }
    process.flags = (process.flags | Process::is_doomed) & ~Process::has_crashed;
    process.exit_reason = std::move(reason);
    process.owner.load(std::memory_order_relaxed)->make_runnable(process);
}

void request_stop(Process& process, ExitReason reason) {
    if (process.has(Process::stop_requested | Process::is_doomed | Process::is_dying)) {
        return;
    }
    process.flags |= Process::stop_requested;
    if (reason.kind() == ExitReason::Kind::error) {
        process.flags |= Process::has_crashed;
    }
    process.exit_reason = std::move(reason);
}

void bounce(Envelope* envelope) noexcept {
    envelope->ops->discard(*envelope, ExitReason::noproc());
    free_envelope(envelope);
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

void stop_self(ExitReason reason) {
    ProcessScope const scope("stop()");
    request_stop(scope.process(), std::move(reason));
}

} // namespace sinew::detail
