/// Runs a process's handlers, and lets those go on that waited.
///
/// Threading: on the process's thread.
#pragma once

namespace sinew::detail {

struct Envelope;
struct Process;
class Worker;

/// Runs the handler of one message; exceptions become the exit reason.
void handle(Worker& worker, Process& process, Envelope* envelope) noexcept;
/// Its handler goes on after what it waited for.
void resume(Process& process);
/// Its coroutine is ended where it waits. Runs the user's destructors.
void end_coroutine(Process& process) noexcept;
/// As if the handler of the first message, which stays in the mailbox, had thrown: a simulated fault.
void crash(Worker& worker, Process& process) noexcept;

} // namespace sinew::detail
