/// Behaviour and Blueprint: the type-erased face of a Server class, from which the runtime makes and drives
/// processes.
///
/// Invariant: one Behaviour constant per class; its address identifies the class.
/// Threading: constants; a Blueprint is immutable and may be shared.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/exit_hook.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/messages.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <typeinfo>

namespace sinew {

class Node;
class Value;

/// What init() may return instead of nothing: run, or don't run and don't count as failed.
enum class Start : std::uint8_t { running, ignore };

namespace detail {

struct TypeTable;

struct Behaviour {
    /// The class.
    std::type_info const* type = nullptr;
    /// Runs init(); reports through init_done().
    void (*init)(void* state) = nullptr;
    void (*destroy)(void* state) noexcept = nullptr;
    /// The rest is null when the class has no such handler.
    void (*terminate)(void* state, ExitReason const& reason) = nullptr;
    void (*handle_exit)(void* state, Exit message) = nullptr;
    void (*handle_down)(void* state, Down message) = nullptr;
    void (*handle_file)(void* state, FileReady message) = nullptr;
    /// The state() that the class shows, what it is, and how to change it.
    void const* (*shown_state)(void* state) = nullptr;
    TypeTable const* shown_type = nullptr;
    Result<> (*decode_state)(void* state, Value const& value) = nullptr;
    bool is_supervisor = false;
    std::uint32_t state_bytes = 0;

    /// What the class shows, if it does.
    [[nodiscard]] Value encode_state(void* state) const;
};

class Blueprint {
public:
    explicit Blueprint(Behaviour const& behaviour_constant) noexcept
        : m_behaviour(&behaviour_constant) {}
    Blueprint(Blueprint const&) = delete;
    Blueprint& operator=(Blueprint const&) = delete;
    Blueprint(Blueprint&&) = delete;
    Blueprint& operator=(Blueprint&&) = delete;
    virtual ~Blueprint() = default;
    /// A new state object; runs in the new process.
    [[nodiscard]] virtual void* construct() const = 0;
    [[nodiscard]] Behaviour const& behaviour() const noexcept { return *m_behaviour; }

private:
    Behaviour const* m_behaviour;
};

inline constexpr std::size_t no_type_slot = ~std::size_t{0};

struct SpawnOptions {
    /// Registers the process under its class's name, unless no_type_slot.
    std::size_t type_slot = no_type_slot;
    /// Registers it under this name, unless empty.
    std::string name = {};
    /// A name in a registry that it takes, unless null.
    std::shared_ptr<NameClaim const> via = {};
    /// init() may take so long; then the process is ended.
    Duration start_timeout = Duration::max();
    /// Makes the spawning process its parent and links both.
    bool is_linked = false;
    /// Answered when init() is done: with the Pid (empty: init() said ignore).
    ReplyPath on_started;
    /// Filled with a monitor's reference when not null.
    MonitorRef* monitor = nullptr;
};

/// Makes a process whose first act is to construct its state and run init().
Pid spawn_process(Node& node, std::shared_ptr<Blueprint const> blueprint, SpawnOptions options);
/// init() has ended. An error ends the process with it.
void init_done(Result<Start> result);
/// Marks the current process to stop when its handler is done.
void stop_self(ExitReason reason);
/// Whether it is marked so.
[[nodiscard]] bool is_stop_requested();
/// Puts a message in front of the current process's mailbox.
void send_first(Envelope* envelope);
/// Sends `envelope` to the current process after `delay`.
std::uint64_t send_later(Duration delay, Envelope* envelope, void** node);
/// What an interval sends, again and again.
using TickPayload = std::shared_ptr<void const>;
/// Sends an envelope of `ops` with `payload` to the current process every `interval`.
std::uint64_t send_every(Duration interval, MessageOps const& ops, TickPayload payload, void** node);

/// A message came that the current process has no handler for, and does not receive.
void report_unreceived(std::type_info const& message);

/// Delivers `envelope`, whose payload is the IdleMark, when the current process has handled no message for
/// `delay` after the one that it handles now. Replaces the one armed before.
struct IdleMark {
    std::uint64_t messages_handled = 0;
};
void arm_idle_timeout(Duration delay, Envelope* envelope);
/// Whether no message was handled since the mark was made; if one was, this delivery doesn't count as one.
[[nodiscard]] bool is_still_idle(IdleMark mark);

/// Names: a slot per class (allocated at program start), and texts.
[[nodiscard]] std::size_t allocate_type_slot(std::type_info const& type) noexcept;
[[nodiscard]] Pid find_by_type(std::size_t slot);
[[nodiscard]] Pid find_by_name(Behaviour const& behaviour, std::string const& name);
[[nodiscard]] std::string readable_type_name(std::type_info const& type);

} // namespace detail
} // namespace sinew
