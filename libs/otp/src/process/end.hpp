/// The end of a process.
///
/// Invariant: it goes in this order: names, timers and requests, the waiting handler, the state, the mailbox,
/// then exit signals and Down messages. Nobody hears of an end while its name or state still exists.
/// Threading: on the process's thread.
#pragma once

namespace sinew::detail {

struct Process;
class Worker;

/// Afterwards the record belongs to nobody.
void die(Worker& worker, Process& process);

} // namespace sinew::detail
