/// Delivery: the way of an envelope from deliver() to its process.
///
/// On the process's own worker an envelope is accepted at once: a message gets into the mailbox, an answer
/// reaches its request, a signal acts. From elsewhere it waits in the process's list of remote messages until
/// the worker takes them. Invariant: between two processes the order of sending is kept. Threading: on the
/// thread of the process's owner, but for push_from_outside().
#pragma once

#include "core/process.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/pid.hpp>

namespace sinew::detail {

class Worker;

/// Takes in an envelope for a process of this worker.
void accept(Worker& worker, Process& process, Envelope* envelope);
/// Any thread: leaves `envelope` with the process, and tells its worker.
void push_from_outside(Process& process, Pid pid, Envelope* envelope);
/// Takes in what came from elsewhere. False: none was for the process that lives there now.
bool take_remote_messages(Worker& worker, Process& process);

} // namespace sinew::detail
