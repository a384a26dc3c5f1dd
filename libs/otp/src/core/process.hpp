/// Process: the record of one process, 192 bytes, at a fixed address for the node's life.
///
/// Invariant: everything but the second group of members is touched only by the worker that owns the process,
/// and only the owner changes `owner` and `identity`. A stale Pid never equals `identity`. Order between two
/// processes is kept whoever owns them: remote messages wait in the process itself (`remote`), and the owner
/// takes them before it appends anything newer. Threading: see above; a function here runs on the owner's
/// thread unless it says otherwise.
#pragma once

#include "core/published.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/exit_hook.hpp>
#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/mailbox.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/process.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew::detail {

class Worker;
class NodeCore;
struct MessageTimer;
struct FileWatchRecord;
struct Inspection;
struct Receiving;

/// What a process needs until its init() is done.
struct StartInfo : InBlock {
    std::shared_ptr<Blueprint const> blueprint;
    std::size_t type_slot = no_type_slot;
    std::string name;
    ReplyPath on_started;
    std::shared_ptr<NameClaim const> via;
    Duration timeout = Duration::max();
    Timer timer = {};
    bool is_name_taken = false;
    bool is_ignored = false;
    bool is_timed_out = false;
};

/// Someone who waits for this process to end with a reason.
struct StopWaiter {
    ReplyPath path;
    ExitReason wanted;
};

struct Watcher {
    MonitorRef ref;
    Pid process;
};

/// Parent first, then its parent...; the oldest are left out.
using Ancestors = std::array<Pid, 8>;

/// What only some processes have.
struct Extras {
    FlatTable<Pid, std::uint8_t> links;
    /// Monitors this process made: whom they watch.
    FlatTable<MonitorRef, Pid> monitors;
    /// Monitors on this process: who made them.
    FlatTable<MonitorRef, Pid> watchers;
    Pid parent;
    /// Shared by the children of one parent.
    std::shared_ptr<Ancestors const> ancestors;
    /// Itself and its own, once it has children.
    std::shared_ptr<Ancestors const> ancestors_for_children;
    std::size_t type_slot = no_type_slot;
    std::vector<std::string> names;
    std::string label;
    /// The handler in progress, when it waits.
    std::optional<Async<void>> root;
    /// The answer that lets it go on.
    Pending* ready = nullptr;
    /// With is_receiving.
    Receiving* receiving = nullptr;
    /// Calls whose handler threw: answered with the exit reason.
    std::vector<ReplyPath> unanswered;
    /// The answer of a handler that asked to stop: sent after terminate().
    std::vector<std::pair<ReplyPath, Envelope*>> held_replies;
    std::vector<StopWaiter> stop_waiters;
    /// Answered with the exit reason.
    std::vector<ReplyPath> end_waiters;
    std::vector<FileWatchRecord*> file_watches;
    std::vector<std::shared_ptr<ExitHook>> exit_hooks;
    Timer idle_timer;
    std::vector<std::pair<void const*, std::shared_ptr<void>>> locals;
    /// With is_blocked: whose mailboxes were full.
    std::vector<Pid> blocked_by;
    /// With blocks_senders.
    std::vector<Pid> blocked_senders;
    /// The message whose handler threw.
    std::type_info const* failed_message = nullptr;
    /// Where that was; 0: it isn't known.
    std::uintptr_t thrown_at = 0;
    /// With is_inspected.
    std::shared_ptr<Inspection> inspection;

    /// Gives back room that isn't used.
    void shrink();
    /// It says nothing.
    [[nodiscard]] bool is_empty() const noexcept;
};

struct alignas(64) Process {
    static constexpr std::uint64_t free_bit = std::uint64_t{1} << 63;
    static constexpr std::uint32_t first_mailbox_warning = MailboxLimit{}.warn_from;
    enum Flag : std::uint32_t {
        is_runnable = 1,
        is_running = 2,
        /// init() has not been called yet.
        needs_start = 4,
        /// init() is not done yet.
        is_initialising = 8,
        traps_exit = 16,
        /// Its handler waits for an answer; other messages wait too.
        is_suspended = 32,
        /// The answer is there.
        is_ready = 64,
        stop_requested = 128,
        is_terminating = 256,
        /// It ends before anything else happens.
        is_doomed = 512,
        is_dying = 1024,
        /// The exit reason comes from an exception or a stop with an error: worth a report.
        has_crashed = 2048,
        /// Its messages go through attend(): it is suspended, traced, measured, or under a simulation's hook.
        is_inspected = 4096,
        /// It handles system messages only.
        is_held = 8192,
        /// It is suspended, and a message can end that: see receive.cpp.
        is_receiving = 16384,
        /// It sent to full mailboxes, and handles system messages only until these have room.
        is_blocked = 32768,
        /// Others are blocked by its mailbox. Of the first group.
        blocks_senders = 65536,
        /// It goes to the real-time worker before it handles another message. Of the first group.
        is_moving = 131072,
        /// An exception passed by a Deferred: whether it ends the process isn't known yet.
        has_unanswered = 262144,
        /// It handles no messages that others sent.
        is_halted = is_held | is_blocked,
        /// The first group: look closer before the next message.
        needs_attention = needs_start | is_suspended | is_ready | stop_requested | is_doomed | is_inspected |
                          blocks_senders | is_moving
    };

    // The owner's; what is Published, others look at.
    Envelope* mailbox_first = nullptr;
    Envelope* mailbox_last = nullptr;
    void* state = nullptr;
    Published<Behaviour const*> behaviour;
    Process* next_runnable = nullptr;
    Published<std::uint32_t> flags;
    Published<std::uint32_t> mailbox_length;
    Published<std::uint64_t> messages_handled;
    Extras* extras = nullptr;

    // Shared.
    std::atomic<Envelope*> remote{nullptr};
    std::atomic<Worker*> owner{nullptr};
    /// The Pid of the life it has; with free_bit, that of the next one.
    std::atomic<std::uint64_t> identity{0};
    Process* next_notified = nullptr;
    /// It is in some worker's list of processes with remote messages.
    std::atomic<bool> is_notified{false};
    /// The worker the last remote message came from, plus one; and how often in a row without a local one.
    std::atomic<std::uint8_t> last_remote_sender{0};

    // The owner's again.
    std::uint8_t remote_streak = 0;
    std::uint8_t streak_sender = 0;
    Priority priority = Priority::normal;
    /// It belongs on the real-time worker.
    bool is_real_time = false;
    Published<MailboxLimit::Overflow> overflow;
    /// From this length on each new message is looked at: the limit, or the next warning.
    std::uint32_t careful_from = first_mailbox_warning;
    Published<std::uint32_t> mailbox_limit;
    std::uint32_t next_mailbox_warning = first_mailbox_warning;
    Published<std::uint32_t> messages_dropped;
    Pending* pendings_first = nullptr;
    Pending* pendings_last = nullptr;
    MessageTimer* timers = nullptr;
    StartInfo* start = nullptr;
    ExitReason exit_reason;
    /// Counted while NodeCore::is_timing.
    Published<std::int64_t> running_ns;
    /// Messages of other workers' processes that it hasn't taken in; counted with Overflow::block_sender
    /// only.
    std::atomic<std::uint32_t> messages_under_way{0};

    [[nodiscard]] Pid pid() const noexcept {
        return Pid::from_value(identity.load(std::memory_order_relaxed));
    }
    [[nodiscard]] bool has(std::uint32_t flag) const noexcept { return (flags & flag) != 0; }
    /// More is sent to it than it handles.
    [[nodiscard]] bool is_flooded() const noexcept {
        constexpr std::uint32_t many = 1024;
        return mailbox_length >= many;
    }
    [[nodiscard]] Extras& more() {
        if (extras == nullptr) {
            extras = new Extras;
        }
        return *extras;
    }

    void append(Envelope* envelope) noexcept {
        envelope->next = nullptr;
        if (mailbox_first == nullptr) {
            mailbox_first = envelope;
        } else {
            mailbox_last->next = envelope;
        }
        mailbox_last = envelope;
        mailbox_length += 1;
    }
    void prepend(Envelope* envelope) noexcept {
        envelope->next = mailbox_first;
        mailbox_first = envelope;
        if (mailbox_last == nullptr || envelope->next == nullptr) {
            mailbox_last = envelope;
        }
        mailbox_length += 1;
    }
    /// Takes an envelope out; `before` is the one in front of it, null when it is the first.
    void remove_after(Envelope* before, Envelope& envelope) noexcept {
        (before != nullptr ? before->next : mailbox_first) = envelope.next;
        if (mailbox_last == &envelope) {
            mailbox_last = before;
        }
        mailbox_length -= 1;
    }
    [[nodiscard]] Envelope* pop() noexcept {
        Envelope* const envelope = mailbox_first;
        mailbox_first = envelope->next;
        mailbox_length -= 1;
        return envelope;
    }
};
/// Three cache lines.
static_assert(sizeof(Process) <= 192);

} // namespace sinew::detail
