/// Watched descriptors of processes, and the messages FileReady that come of them.
///
/// Threading: on the worker's thread.
#pragma once

#include <cstdint>

namespace sinew::detail {

struct Envelope;
struct Process;
class Worker;

/// Something happened, as epoll_wait(2) tells it: a FileReady goes to whoever watches.
void deliver_file_event(Worker& worker, std::uint64_t watch_id, std::uint32_t events);
/// The watch of a FileReady message; 0: it is none.
[[nodiscard]] std::uint64_t watch_of(Envelope& envelope) noexcept;
/// False: the watch is gone, and so is its message.
[[nodiscard]] bool claim_file_message(Worker& worker, std::uint64_t watch_id) noexcept;
/// Watches again after a FileReady was handled.
void rearm_file_watch(Worker& worker, std::uint64_t watch_id) noexcept;
void close_file_watches(Worker& worker, Process& process) noexcept;

} // namespace sinew::detail
