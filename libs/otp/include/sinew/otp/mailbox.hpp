/// How long a process's mailbox may get, and what happens then.
///
/// Invariant: only what others send() and cast() and ask is refused or dropped; answers, Exit and Down
/// are not. Every refused or dropped call is answered with an error (unavailable: its mailbox
/// is full). A blocked sender still handles exits and the runtime's own messages (stop(), introspection), but
/// answers nobody: two processes that block each other wait until a call between them times out. Threading:
/// set in the process itself, best in init().
#pragma once

#include <cstddef>
#include <cstdint>

namespace sinew {

struct MailboxLimit {
    /// What goes when it is full.
    enum class Overflow : std::uint8_t {
        /// The new message is refused.
        reject_newest,
        /// The message that has waited longest goes.
        drop_oldest,
        /// The message is taken, and its sender, when it is a process, handles nothing more after its present
        /// handler until half of them are handled. So more than `length` may wait: what each sender's handler
        /// sent at once. Threads outside are not blocked.
        block_sender
    };
    /// Messages that wait, at most; 0: any number. What other workers' processes sent is counted when the
    /// process's worker takes it in, between two handlers.
    std::uint32_t length = 0;
    Overflow overflow = Overflow::reject_newest;
    /// A warning is logged when so many wait, and each time they have doubled; 0: never.
    std::uint32_t warn_from = 10'000;
};

/// For the process whose handler runs. What waits already stays.
void set_mailbox_limit(MailboxLimit limit);

} // namespace sinew
