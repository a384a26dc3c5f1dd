/// The timers of processes: messages that come later, and limits of requests.
///
/// Invariant: a timer is in the wheel of the worker that owns its process. Threading: on that worker's
/// thread.
#pragma once

#include <sinew/otp/exit_reason.hpp>

namespace sinew::detail {

struct MessageTimer;
struct Process;
class Worker;

/// Disarms and discards all messages that were to come later.
void drop_timers(Worker& worker, Process& process) noexcept;
/// Between the wheels of two workers, when a process changes from one to the other.
void move_timers_out(Worker& worker, Process& process) noexcept;
void take_timers_in(Worker& worker, Process& process);

} // namespace sinew::detail
