#include "process/attend.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/mailbox_limit.hpp"
#include "process/end.hpp"
#include "process/guard.hpp"
#include "process/handle.hpp"
#include "process/inspected.hpp"
#include "process/receive.hpp"
#include "process/start.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/exit_reason.hpp>

namespace sinew::detail {
namespace {

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

} // namespace sinew::detail
