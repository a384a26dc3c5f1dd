/// What comes to a worker from outside its handlers: other threads' work, descriptors, timers.
///
/// Threading: on the worker's thread.
#pragma once

#include <cstdint>

namespace sinew::detail {

class Worker;

/// Takes what other threads left here: messages and processes. True: something was there.
bool take_shared_work(Worker& worker);
/// Looks at watched descriptors; waits until `deadline_ns` at most (a time past: not at all).
bool poll_files(Worker& worker, std::int64_t deadline_ns);
bool fire_timers(Worker& worker, std::int64_t now_ns);

} // namespace sinew::detail
