#include "process/end.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "log/report.hpp"
#include "messages/mailbox_limit.hpp"
#include "messages/pending.hpp"
#include "messages/timers.hpp"
#include "process/file_watch.hpp"
#include "process/signals.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/exit_hook.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/process.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sinew::detail {
namespace {

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

void drop_timers_and_requests(Worker& worker, Process& process) noexcept {
    drop_timers(worker, process);
    drop_requests(process);
}

/// Runs the user's destructors.
void destroy_state(Process& process) noexcept {
    HandlerScope const scope;
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

} // namespace

void die(Worker& worker, Process& process) {
    process.flags |= Process::is_dying;
    if (process.has(Process::has_crashed)) {
        report_crash(process);
    }
    {
        DyingScope const scope(process.exit_reason);
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
    }
    detach_from_starter(process);
    Pid const pid = process.pid();
    process.identity.store(Pid(pid.index(), pid.generation() + 1).value() | Process::free_bit,
                           std::memory_order_release);
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

} // namespace sinew::detail
