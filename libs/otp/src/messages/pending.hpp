/// The requests that a process waits for, and their answers.
///
/// Invariant: an answer whose request is no longer pending is discarded. Threading: on the thread of the
/// process's owner.
#pragma once

#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>

#include <cstdint>

namespace sinew::detail {

struct Envelope;
struct Process;
class Worker;

/// An answer reached the process.
void accept_reply(Worker& worker, Process& process, Envelope* envelope);
/// Runs the continuation that waits for an answer.
void dispatch_reply(Process& process, Envelope* envelope);
/// An answer that says why there is none.
[[nodiscard]] Envelope* make_failure(std::uint64_t ref, RequestFailure failure, ExitReason const& reason);
/// Forgets all requests; those on the heap are freed.
void drop_requests(Process& process) noexcept;

} // namespace sinew::detail
