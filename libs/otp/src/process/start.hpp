/// The start of a process: its names, and its init().
///
/// Threading: on the process's thread.
#pragma once

namespace sinew::detail {

struct Process;

/// With needs_start: claims its names, then calls init(); a failed start ends it.
void begin_start(Process& process);

} // namespace sinew::detail
