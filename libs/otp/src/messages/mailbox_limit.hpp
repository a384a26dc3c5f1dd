/// Long mailboxes: warnings, limits, and senders that wait for room.
///
/// Invariant: a blocked sender goes on when there is room, or when the process has ended. Threading: on the
/// thread of the owner of the process named first.
#pragma once

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/pid.hpp>

namespace sinew::detail {

struct Extras;
struct Process;

/// The mailbox is long: warns, or keeps the limit. False: `envelope` was refused.
[[nodiscard]] bool makes_room(Process& process, Envelope& envelope) noexcept;
/// The running process sent to `process`, which has Overflow::block_sender: it waits if that is full.
void block_sender_if_full(Process& process, Pid pid);
/// With blocks_senders: they go on if there is room again.
void let_senders_go_on(Process& process);
/// The process has ended: they go on.
void let_all_senders_go_on(Pid pid, Extras& extras);
/// As a process has it when it begins.
void reset_mailbox_limit(Process& process) noexcept;

} // namespace sinew::detail
