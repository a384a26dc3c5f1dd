/// What a worker does that has nothing to run: a short spin, then a sleep until its next timer, a descriptor,
/// or another thread's work.
///
/// Threading: on the worker's thread.
#pragma once

namespace sinew::detail {

class Worker;

/// Until there may be something to run. True: other workers could see that it was idle.
bool idle(Worker& worker);

} // namespace sinew::detail
