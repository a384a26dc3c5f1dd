/// What a look at processes shows from outside: who lives, and what each is doing.
///
/// A look never disturbs: it reads the process's record while it runs, also when it is stuck in a handler.
/// The values of one ProcessInfo may therefore be of slightly different moments. Threading: any thread that
/// has a current node.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/pid.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace sinew {

enum class ProcessState : std::uint8_t {
    /// Its init() is not done.
    starting,
    /// Its mailbox is empty.
    waiting,
    /// It waits for its turn.
    runnable,
    /// A handler runs now.
    running,
    /// A handler waits for an answer; messages wait, too.
    awaiting,
    /// Its coroutine waits for a message of certain types.
    receiving,
    /// It sent to a full mailbox that blocks its senders, and waits for room there.
    blocked,
    /// It was asked to stop, or is in terminate().
    stopping
};
/// "starting", "waiting"...
[[nodiscard]] std::string_view to_string(ProcessState state) noexcept;

/// One process at one moment.
struct ProcessInfo {
    /// Which one.
    Pid pid;
    /// What it does.
    ProcessState state = ProcessState::waiting;
    /// The server's class. Never null.
    std::type_info const* type = nullptr;
    /// The message whose handler runs; null: none runs, or it is an answer's continuation, init() or
    /// terminate().
    std::type_info const* handling = nullptr;
    /// Messages that wait in the mailbox; those under way from other workers are not counted.
    std::size_t mailbox_length = 0;
    std::uint64_t messages_handled = 0;
    /// By the limit of its mailbox.
    std::uint64_t messages_dropped = 0;
    /// How long its handlers have run; counts only while Node::account_time() is on.
    Duration time_running{0};
    /// Its record, its state object and the envelopes in its mailbox; not what its state owns on the heap.
    std::size_t memory_bytes = 0;
    /// The worker it belongs to now.
    unsigned worker = 0;
    bool is_supervisor = false;

    /// The class's name, readable.
    [[nodiscard]] std::string type_name() const;
};

/// Nothing when the process has ended.
[[nodiscard]] std::optional<ProcessInfo> process_info(Pid pid);
/// All processes that live, in the order of their records.
[[nodiscard]] std::vector<Pid> processes();

} // namespace sinew
