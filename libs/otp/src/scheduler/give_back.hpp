/// What a worker that has nothing to do gives back to the system: memory that a burst needed, once nobody has
/// asked for more for a while.
///
/// Invariant: each step is short, so that what comes meanwhile waits for some tens of microseconds at most. Threading: the
/// worker's thread, while nobody may borrow the worker.
#pragma once

#include <cstdint>

namespace sinew::detail {

class Worker;

/// Before a sleep. Returns until when that may last (TimerWheel::never: there is nothing to give back).
[[nodiscard]] std::int64_t give_memory_back(Worker& worker) noexcept;

} // namespace sinew::detail
