// Selective receive: the message that ends a wait may come at any place of the mailbox.
#include "process/receive.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/mailbox.hpp"
#include "process/file_watch.hpp"
#include "process/handle.hpp"

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

void handle_or_receive(Worker& worker, Process& process, Envelope* envelope) noexcept {
    if (process.has(Process::is_receiving) && !is_handled_anyway(process, *envelope)) {
        receive_message(worker, process, envelope);
    } else {
        handle(worker, process, envelope);
    }
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
