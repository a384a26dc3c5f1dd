/// Context: which worker, process and node this thread is acting for.
///
/// Threading: one per thread. The worker and process are set only on scheduler threads (in a simulation:
/// always on the thread that made it).
#pragma once

namespace sinew {
class Node;
}

namespace sinew::detail {

class NodeCore;
struct Process;
class Worker;

struct Context {
    Worker* worker = nullptr;
    Process* process = nullptr;
    NodeCore* core = nullptr;
};
extern constinit thread_local Context t_context;

/// The process whose handler runs; throws std::logic_error naming `function` outside a process.
[[nodiscard]] Process& require_process(char const* function);
[[nodiscard]] NodeCore& require_core();

} // namespace sinew::detail
