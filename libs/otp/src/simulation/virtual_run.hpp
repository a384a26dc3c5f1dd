/// Runs the processes of a simulated node, in virtual time.
///
/// Invariant: time moves only when nobody has anything to do, and then to the next timer. Threading: the
/// simulation's thread.
#pragma once

#include <cstdint>

namespace sinew::detail {

class NodeCore;

/// Lets one process handle one message. False: nobody has anything to do now.
bool run_simulation_step(NodeCore& core);
/// Runs until `is_done(argument)`, at most until the virtual `deadline_ns`. False: it isn't done.
bool run_simulation_until(NodeCore& core, std::int64_t deadline_ns, bool (*is_done)(void*), void* argument);

} // namespace sinew::detail
