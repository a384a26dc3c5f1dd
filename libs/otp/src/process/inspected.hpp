/// A process that is suspended, traced, measured, or disturbed by a simulation.
///
/// Threading: on the process's thread.
#pragma once

#include "process/attention.hpp"

#include <sinew/base/clock.hpp>

namespace sinew::detail {

struct Process;
class Worker;

/// Handles one message of an inspected process, or those that a suspended one handles.
[[nodiscard]] Attention attend_inspected(Worker& worker, Process& process);
/// The running process handles system messages only, for `time`.
void stall(Process& process, Duration time);

} // namespace sinew::detail
