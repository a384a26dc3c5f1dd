/// The build option SINEW_SINGLE_WORKER, for boards with one processor: each node has one worker.
///
/// What only other workers would change is then read without ordering, which costs nothing on x86 and a
/// barrier a read on Arm; looking for another worker's work and giving work away is left out. Threads outside
/// are served as ever. Threading: constants.
#pragma once

#include <atomic>

namespace sinew::detail {

#if defined(SINEW_SINGLE_WORKER)
inline constexpr bool single_worker = true;
#else
inline constexpr bool single_worker = false;
#endif
/// For a worker's loads of what another worker may have stored.
inline constexpr std::memory_order acquire_from_workers =
    single_worker ? std::memory_order_relaxed : std::memory_order_acquire;

} // namespace sinew::detail
