#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "scheduler/seat.hpp"

#include <sinew/otp/process_info.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {
namespace {

using detail::Process;

ProcessState state_from(std::uint32_t flags) noexcept {
    if ((flags & (Process::is_terminating | Process::is_dying | Process::stop_requested)) != 0) {
        return ProcessState::stopping;
    }
    if ((flags & (Process::needs_start | Process::is_initialising)) != 0) {
        return ProcessState::starting;
    }
    if ((flags & Process::is_running) != 0) {
        return ProcessState::running;
    }
    if ((flags & Process::is_blocked) != 0) {
        return ProcessState::blocked;
    }
    if ((flags & (Process::is_suspended | Process::is_ready)) == Process::is_suspended) {
        return (flags & Process::is_receiving) != 0 ? ProcessState::receiving : ProcessState::awaiting;
    }
    return (flags & Process::is_runnable) != 0 ? ProcessState::runnable : ProcessState::waiting;
}

/// The thread that runs `process` without a worker, for its handler takes long; or null.
detail::Seat const* seat_alone_with(Process const& process) noexcept {
    detail::Seat const* seat = detail::t_context.core->seats.load(std::memory_order_acquire);
    while (seat != nullptr && seat->alone().process.get_first() != &process) {
        seat = seat->next();
    }
    return seat;
}

/// What the handler that runs does, and how long it has.
void add_run(ProcessInfo& info, Process const& process, detail::Worker const& worker) {
    detail::MessageOps const* handling = nullptr;
    if (detail::Seat const* const seat = seat_alone_with(process)) {
        handling = seat->alone().handling;
        info.time_running +=
            Duration(std::max<std::int64_t>(seat->cpu_time_ns() - seat->alone().left_at_cpu_ns.get(), 0));
    } else if (worker.running.get_first() == &process) {
        handling = worker.handling.get_first();
        std::int64_t const since_ns = worker.running_since_ns;
        if (since_ns != 0) {
            info.time_running +=
                Duration(std::max<std::int64_t>(detail::t_context.core->now_ns() - since_ns, 0));
        }
    }
    info.handling = handling != nullptr ? handling->type : nullptr;
}

} // namespace

std::string_view to_string(ProcessState state) noexcept {
    switch (state) {
    case ProcessState::starting:
        return "starting";
    case ProcessState::waiting:
        return "waiting";
    case ProcessState::runnable:
        return "runnable";
    case ProcessState::running:
        return "running";
    case ProcessState::awaiting:
        return "awaiting";
    case ProcessState::receiving:
        return "receiving";
    case ProcessState::blocked:
        return "blocked";
    case ProcessState::stopping:
        return "stopping";
    }
    std::unreachable();
}

std::string ProcessInfo::type_name() const {
    return detail::readable_type_name(*type);
}

std::optional<ProcessInfo> process_info(Pid pid) {
    Process const* const process = detail::require_core().find(pid);
    if (process == nullptr || process->identity.load(std::memory_order_acquire) != pid.value()) {
        return std::nullopt;
    }
    detail::Behaviour const* const behaviour = process->behaviour.get_first();
    detail::Worker const& worker = *process->owner.load(std::memory_order_acquire);
    ProcessInfo info;
    info.pid = pid;
    info.state = state_from(process->flags.get_first());
    info.mailbox_length = process->mailbox_length.get_first();
    info.messages_handled = process->messages_handled.get_first();
    info.messages_dropped = process->messages_dropped.get_first();
    info.time_running = Duration(process->running_ns.get_first());
    info.worker = worker.index();
    if ((process->flags.get_first() & Process::is_running) != 0) {
        add_run(info, *process, worker);
    }
    // The record may have begun another life meanwhile.
    if (behaviour == nullptr || process->identity.load(std::memory_order_relaxed) != pid.value()) {
        return std::nullopt;
    }
    info.type = behaviour->type;
    info.is_supervisor = behaviour->is_supervisor;
    info.memory_bytes =
        sizeof(Process) + behaviour->state_bytes + info.mailbox_length * sizeof(detail::Envelope);
    return info;
}

std::vector<Pid> processes() {
    std::vector<Pid> result;
    detail::require_core().slots.for_each([&result](Process const& process) {
        std::uint64_t const identity = process.identity.load(std::memory_order_acquire);
        if ((identity & Process::free_bit) == 0) {
            result.push_back(Pid::from_value(identity));
        }
    });
    return result;
}

} // namespace sinew
