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
/// Any thread: `thread_id`, which drives `worker`, has the policy and priority that belong to it again.
void restore_policy(pid_t thread_id, Worker const& worker) noexcept;

} // namespace sinew::detail
