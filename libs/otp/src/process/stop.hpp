/// How the end of a process is asked for: at once, or after terminate().
///
/// Invariant: the first reason stays, except that `killed` replaces a graceful one. Threading: on the thread
/// of the process's owner.
#pragma once

#include <sinew/otp/exit_reason.hpp>

namespace sinew::detail {

struct Process;

/// It ends before its next message, without terminate().
void doom(Process& process, ExitReason reason);
/// terminate() runs when its handler is done, then it ends.
void request_stop(Process& process, ExitReason reason);

} // namespace sinew::detail
