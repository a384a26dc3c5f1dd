/// How a process changes from one worker to another: given away by its owner, or taken from one that rests.
///
/// Invariant: only the owner gives a process away, between messages; its timers go along. Threading: on the
/// thread of the worker named first.
#pragma once

#include "core/process.hpp"

#include <sinew/otp/pid.hpp>

namespace sinew::detail {

class Worker;

/// It stays where it is: a process that watches descriptors, because of its worker's poller; one with many
/// timers; one on the real-time worker.
[[nodiscard]] bool is_pinned(Process const& process) noexcept;
/// Gives `process`, which is runnable and in no queue, to `target`, which isn't woken.
void give(Worker& worker, Worker& target, Process& process);
/// The same, and wakes it.
void hand_over(Worker& worker, Worker& target, Process& process);
/// A process that another worker has given comes here.
void adopt(Worker& worker, Process& process);
/// Takes `process`, which has `pid`, from a worker that has nothing to do, when neither has this one: cheaper
/// than a wake-up across processors, which takes up to 80 µs, and both are in one place from then on.
[[nodiscard]] bool take_over(Worker& worker, Process& process, Pid pid);

} // namespace sinew::detail
