/// A process's mailbox: how messages get in, and which of them a process handles though it waits.
///
/// Threading: on the thread of the process's owner.
#pragma once

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/exit_reason.hpp>

namespace sinew::detail {

/// An Exit from its parent, which ends it even while it is suspended.
[[nodiscard]] bool is_parent_exit(Process const& process, Envelope& envelope) noexcept;
/// Handled while the process receives, whatever it waits for.
[[nodiscard]] bool is_handled_anyway(Process const& process, Envelope& envelope) noexcept;
/// Whether `envelope`, which came while the process is_receiving, is something for it to do.
[[nodiscard]] bool is_awaited(Process const& process, Envelope& envelope) noexcept;

/// Puts an envelope that is a message at the end of the mailbox.
inline void enqueue(Worker& worker, Process& process, Envelope* envelope) {
    process.append(envelope);
    if (process.is_flooded() && &process != t_context.process) [[unlikely]] {
        worker.is_flooding = true;
    }
    if (!process.has(Process::is_runnable | Process::is_running | Process::is_suspended)) {
        worker.queue.make_runnable(process);
    } else if (process.has(Process::is_receiving) && is_awaited(process, *envelope)) [[unlikely]] {
        process.flags |= Process::is_ready;
        worker.queue.make_runnable(process);
    }
}

/// Nobody lives any more where it went.
inline void bounce(Envelope* envelope) noexcept {
    envelope->ops->discard(*envelope, ExitReason::noproc());
    free_envelope(envelope);
}

/// Take messages out of the mailbox: Exit from `from`, Down of `ref`.
void flush_exits(Process& process, Pid from) noexcept;
void flush_downs(Process& process, MonitorRef ref) noexcept;

} // namespace sinew::detail
