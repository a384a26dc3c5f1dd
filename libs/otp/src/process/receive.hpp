/// Messages for a process that receives: it waits inside its handler for one that it wants.
///
/// Threading: on the process's thread.
#pragma once

namespace sinew::detail {

struct Envelope;
struct Process;
class Worker;

/// Runs the handler of one message; when the process receives, its handler goes on with it instead.
void handle_or_receive(Worker& worker, Process& process, Envelope* envelope) noexcept;
/// With is_receiving: brings the first message that it has something to do with to the front. False: there is
/// none.
[[nodiscard]] bool bring_awaited_to_front(Process& process) noexcept;

} // namespace sinew::detail
