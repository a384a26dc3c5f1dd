/// What a process does before its next message, as its flags ask: it starts, goes on, terminates or ends.
///
/// Threading: on the process's thread.
#pragma once

#include "process/attention.hpp"

namespace sinew::detail {

struct Process;
class Worker;

/// With needs_attention.
[[nodiscard]] Attention attend(Worker& worker, Process& process);

} // namespace sinew::detail
