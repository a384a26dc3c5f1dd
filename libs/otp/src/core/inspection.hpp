/// Inspection: what is done to a process that is suspended, traced, measured, or disturbed by a simulation.
///
/// Invariant: a process has an Inspection only while Process::is_inspected is set, and only then its messages
/// take the slow way through attend(). Threading: the process's owner.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/introspection.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <typeinfo>

namespace sinew::detail {

struct Envelope;
struct Process;

/// Decides what happens to a message before it is handled; see testing::Faults.
class MessageHook {
public:
    MessageHook() = default;
    MessageHook(MessageHook const&) = delete;
    MessageHook& operator=(MessageHook const&) = delete;
    MessageHook(MessageHook&&) = delete;
    MessageHook& operator=(MessageHook&&) = delete;
    virtual ~MessageHook() = default;
    struct Verdict {
        enum class Kind : std::uint8_t { handle, drop, crash, stall };
        Kind kind = Kind::handle;
        /// How long the process stands still, for stall.
        Duration time{0};
    };
    /// `message` is null for an answer.
    virtual Verdict before_message(Process& process, std::type_info const* message) = 0;
    /// Keeps a dropped message, which is never answered.
    virtual void lose(Envelope* message) = 0;
    /// Around the handler.
    virtual void enter_handler() noexcept {}
    virtual void leave_handler() noexcept {}
};

struct Inspection {
    std::optional<Recipient<TraceEvent>> trace;
    std::size_t trace_left = 0;
    std::optional<Statistics> statistics;
    MonotonicTime counted_since;
    std::shared_ptr<MessageHook> hook;
    [[nodiscard]] bool is_needed() const noexcept {
        return trace.has_value() || statistics.has_value() || hook != nullptr;
    }
};

/// The process's Inspection, made when it has none.
[[nodiscard]] Inspection& inspect(Process& process);
/// Takes it away when nothing needs it any longer.
void drop_unneeded_inspection(Process& process) noexcept;

} // namespace sinew::detail
