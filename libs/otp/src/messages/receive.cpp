// Selective receive: the message that ends a wait may come at any place of the mailbox.
#include "process/inspection.hpp"
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/worker.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/receive.hpp>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <typeinfo>
#include <utility>

namespace sinew::detail {
namespace {

/// Handled while the process receives, whatever it waits for.
bool is_handled_anyway(Process const& process, Envelope& envelope) noexcept {
    return envelope.ops->is_system || envelope.ops->kind == EnvelopeKind::reply ||
           is_parent_exit(process, envelope);
}

/// Brings the first message that it has something to do with to the front. False: there is none.
bool bring_awaited_to_front(Process& process) noexcept {
    Envelope* before = nullptr;
    for (Envelope* at = process.mailbox_first; at != nullptr; before = at, at = at->next) {
        if (is_handled_anyway(process, *at) || process.extras->receiving->wants(*at)) {
            if (before != nullptr) {
                process.remove_after(before, *at);
                process.prepend(at);
            }
            return true;
        }
    }
    return false;
}

void receive_message(Worker& worker, Process& process, Envelope* envelope) {
    std::uint64_t const watch = watch_of(*envelope);
    if (watch != 0 && !claim_file_message(worker, watch)) {
        envelope->ops->discard(*envelope, ExitReason::normal());
        free_envelope(envelope);
        return;
    }
    process.messages_handled += 1;
    worker.turns += 1;
    worker.handling = envelope->ops;
    Receiving& receiving = *std::exchange(process.extras->receiving, nullptr);
    process.flags &= ~Process::is_receiving;
    if (receiving.is_armed()) {
        worker.timers.remove(receiving);
    }
    receiving.reply = envelope;
    process.extras->ready = &receiving;
    resume(process);
    if (watch != 0) {
        rearm_file_watch(worker, watch);
    }
}

} // namespace

bool is_awaited(Process const& process, Envelope& envelope) noexcept {
    return is_handled_anyway(process, envelope) ||
           (!process.has(Process::is_halted) && process.extras->receiving->wants(envelope));
}

void handle_or_receive(Worker& worker, Process& process, Envelope* envelope) noexcept {
    if (process.has(Process::is_receiving) && !is_handled_anyway(process, *envelope)) {
        receive_message(worker, process, envelope);
    } else {
        handle(worker, process, envelope);
    }
}

Attention attend_receiving(Worker& worker, Process& process) {
    process.flags &= ~Process::is_ready;
    if (process.has(Process::stop_requested) && !process.has(Process::is_terminating)) {
        end_coroutine(process);
        return Attention::again;
    }
    if (process.has(Process::is_halted)) {
        Attention const attention = attend_inspected(worker, process);
        if (!process.has(Process::is_halted)) {
            process.flags |= Process::is_ready; // What came meanwhile counts now.
        }
        return attention;
    }
    if (bring_awaited_to_front(process)) {
        if (process.has(Process::is_inspected)) {
            return attend_inspected(worker, process);
        }
        handle_or_receive(worker, process, process.pop());
        return Attention::again;
    }
    if (process.extras->ready == nullptr) {
        return Attention::wait;
    }
    process.extras->receiving = nullptr; // The time is over.
    process.flags &= ~Process::is_receiving;
    resume(process);
    return Attention::again;
}

void begin_receive(Receiving& receiving, std::coroutine_handle<> waiter, Duration timeout) {
    ProcessScope const scope("receive()");
    Process& process = scope.process();
    Extras& extras = process.more(); // All that may fail comes before the process waits.
    arm_pending(receiving, std::nullopt);
    suspend_for(receiving, waiter, timeout);
    extras.receiving = &receiving;
    // It may be there already.
    process.flags |= Process::is_receiving | Process::is_ready;
}

void end_receive(Receiving& receiving) noexcept {
    disarm_pending(receiving);
}

void report_unreceived(std::type_info const& message) {
    log::notice("dropped " + readable_type_name(message) + ": its process receives nothing now");
}

} // namespace sinew::detail
