#include "kernel.hpp"

#include "context.hpp"
#include "inspection.hpp"
#include "node_core.hpp"
#include "process.hpp"
#include "worker.hpp"

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
    process.flags |= Process::has_crashed;
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

/// Runs `step`; what it throws ends the process.
template<typename Step>
void guarded(Process& process, std::string const& (*origin)(), Step&& step) noexcept {
    try {
        std::forward<Step>(step)();
    } catch (ExitRequest& request) {
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

void give_up_names(Process& process) noexcept {
    Registry& registry = t_context.core->registry;
    Extras const& extras = *process.extras;
    if (extras.type_slot != no_type_slot) {
        registry.release_type(extras.type_slot, process.pid());
    }
    for (std::string const& name : extras.names) {
        registry.release_name(name, process.pid());
    }
}

void run_exit_hooks(Process& process) noexcept {
    for (std::shared_ptr<ExitHook> const& hook : process.extras->exit_hooks) {
        hook->process_ended(process.pid(), process.exit_reason);
    }
    process.extras->exit_hooks.clear();
}

void discard_mailbox(Process& process) noexcept {
    while (process.mailbox_first != nullptr) {
        Envelope* const envelope = process.pop();
        envelope->ops->discard(*envelope, process.exit_reason);
        free_envelope(envelope);
    }
    process.mailbox_last = nullptr;
}

void tell_the_others(Pid pid, Extras& extras, ExitReason const& reason) {
    for (auto const& [peer, unused] : extras.links.entries()) {
        send_exit(peer, pid, reason, ExitCause::link);
    }
    for (auto const& [ref, watcher] : extras.watchers.entries()) {
        send_down(watcher, Down{ref, pid, reason});
    }
    for (auto const& [ref, watched] : extras.monitors.entries()) {
        send_demonitor(watched, ref);
    }
}

void answer_waiters(Extras& extras, ExitReason const& reason) noexcept {
    for (ReplyPath& path : extras.unanswered) {
        path.fail(RequestFailure::ended, reason);
    }
    for (ReplyPath& path : extras.end_waiters) {
        path.answer(make_reply<ExitReason>(path, reason));
    }
    for (StopWaiter& waiter : extras.stop_waiters) {
        if (waiter.wanted == reason) {
            waiter.path.answer(make_reply<void>(waiter.path));
        } else {
            waiter.path.fail(RequestFailure::ended, reason);
        }
    }
}

/// The starter hears of a failed start by its answer only, not by its link.
void detach_from_starter(Process& process) {
    if (process.start != nullptr && process.start->on_started && process.extras != nullptr &&
        process.extras->parent) {
        process.extras->links.erase(process.extras->parent);
        send_unlink(process.extras->parent, process.pid());
    }
}

void report_failed_start(std::unique_ptr<StartInfo> start, ExitReason const& reason) noexcept {
    if (start == nullptr || !start->on_started) {
        return;
    }
    if (start->is_ignored) {
        start->on_started.answer(make_reply<Pid>(start->on_started, Pid()));
    } else {
        start->on_started.fail(start->is_name_taken  ? RequestFailure::name_taken
                               : start->is_timed_out ? RequestFailure::timed_out
                                                     : RequestFailure::start_failed,
                               reason);
    }
}

void destroy_state(Process& process) noexcept {
    if (process.extras != nullptr) {
        process.extras->root.reset();
    }
    if (process.state != nullptr) {
        process.behaviour->destroy(std::exchange(process.state, nullptr));
    }
    if (process.start != nullptr) {
        process.start->blueprint.reset();
    }
    if (process.extras != nullptr) {
        process.extras->locals.clear();
    }
}

void send_held_replies(Process& process) noexcept {
    if (process.extras != nullptr) {
        for (auto& [path, reply] : process.extras->held_replies) {
            path.answer(reply);
        }
        process.extras->held_replies.clear();
    }
}

/// The end. Afterwards the record belongs to nobody.
void die(Worker& worker, Process& process) {
    process.flags |= Process::is_dying;
    if (process.has(Process::has_crashed)) {
        report_crash(process);
    }
    worker.dying_reason = &process.exit_reason;
    send_held_replies(process);
    if (process.extras != nullptr) {
        give_up_names(process);
        run_exit_hooks(process);
        close_file_watches(worker, process);
    }
    if (process.pendings_first != nullptr || process.timers != nullptr) {
        drop_timers_and_requests(worker, process);
    }
    destroy_state(process);
    // What the destructors still armed.
    drop_timers_and_requests(worker, process);
    discard_mailbox(process);
    detach_from_starter(process);
    Pid const pid = process.pid();
    process.identity.store(Pid(pid.index(), pid.generation() + 1).value() | Process::free_bit,
                           std::memory_order_release);
    worker.dying_reason = nullptr;
    // Whoever hears of the end finds it counted.
    worker.ended += 1;
    ExitReason const reason = std::move(process.exit_reason);
    std::unique_ptr<StartInfo> start(std::exchange(process.start, nullptr));
    if (std::unique_ptr<Extras> const extras{std::exchange(process.extras, nullptr)}) {
        answer_waiters(*extras, reason);
        let_all_senders_go_on(pid, *extras);
        tell_the_others(pid, *extras, reason);
    }
    report_failed_start(std::move(start), reason);
    process.behaviour = nullptr;
    process.exit_reason = {};
    process.priority = Priority::normal;
    process.is_real_time = false;
    reset_mailbox_limit(process);
    process.messages_handled = 0;
    process.running_ns = 0;
    process.flags = 0;
    t_context.process = nullptr;
    constexpr std::uint64_t last_generation = (std::uint64_t{1} << (63 - Pid::index_bits)) - 1;
    if (pid.generation() < last_generation) {
        worker.give_slot(process);
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

void end_coroutine(Worker& worker, Process& process) noexcept {
    process.flags &= ~(Process::is_suspended | Process::is_receiving | Process::is_ready);
    process.extras->receiving = nullptr;
    process.extras->ready = nullptr;
    worker.dying_reason = &process.exit_reason;
    process.extras->root.reset();
    worker.dying_reason = nullptr;
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
    process.flags &= ~Process::is_initialising;
    std::unique_ptr<StartInfo> const done(std::exchange(process.start, nullptr));
    (void)cancel(done->timer);
    if (done->on_started) {
        done->on_started.answer(make_reply<Pid>(done->on_started, process.pid()));
    }
}

void stop_self(ExitReason reason) {
    ProcessScope const scope("stop()");
    request_stop(scope.process(), std::move(reason));
}

} // namespace sinew::detail
