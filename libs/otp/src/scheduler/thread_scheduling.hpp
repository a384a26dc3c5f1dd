/// Which policy, priority and processor the kernel gives a scheduler thread.
///
/// Threading: any.
#pragma once

#include <sys/types.h>

namespace sinew::detail {

class Worker;

/// This thread, which drives `worker` from now on, gets what belongs to it.
void set_scheduling_for(Worker const& worker) noexcept;
/// Any thread of this program (0: this one): one of sched(7)'s policies for ordinary threads.
void set_policy(pid_t thread_id, int policy) noexcept;

} // namespace sinew::detail
