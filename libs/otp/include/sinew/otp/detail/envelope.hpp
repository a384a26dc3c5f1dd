/// Envelope: one message on its way. A block of 64 bytes; a payload up to 40 bytes lies inside.
///
/// Invariant: an envelope is delivered or discarded, exactly once; both destroy its payload. The node is then
/// freed by whoever took it out of the queue. Threading: owned by one thread at a time.
#pragma once

#include <sinew/otp/detail/block.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sinew {
class Node;
}

namespace sinew::detail {

struct Envelope;
struct Process;

enum class EnvelopeKind : std::uint8_t {
    /// Goes to the mailbox; deliver() runs the handler.
    message,
    /// An answer: its payload begins with the reference of the pending request it belongs to.
    reply,
    /// Link, exit, monitor...: acts when it reaches the process, ahead of its mailbox.
    signal
};

/// What a payload is made of.
enum class PayloadForm : std::uint8_t {
    /// Only the ops know.
    own,
    /// The message.
    message,
    /// A CallPayload of the message.
    call
};

/// What to do with a payload: one constant per message type and receiver.
struct MessageOps {
    EnvelopeKind kind = EnvelopeKind::message;
    /// Runs the handler of the server at `state`. May throw.
    void (*deliver)(void* state, Envelope& envelope) = nullptr;
    /// Nobody will handle it: `reason` is why. An unanswered call answers its caller with it.
    void (*discard)(Envelope& envelope, ExitReason const& reason) noexcept = nullptr;
    /// The message, for reports.
    std::type_info const* type = nullptr;
    /// The payload lies on the heap.
    bool is_heap = false;
    /// Someone sent it, who can do without: a full mailbox may refuse it.
    bool may_be_dropped = false;
    /// A suspended process handles it, too.
    bool is_system = false;
    PayloadForm form = PayloadForm::own;
    /// Signals only: acts on the process, on its owner's thread.
    void (*arrive)(Process& process, Envelope& envelope) = nullptr;
};

struct Envelope {
    static constexpr std::size_t payload_bytes = 40;
    Envelope* next = nullptr;
    MessageOps const* ops = nullptr;
    /// Whom it goes to, while it is under way to another worker's process. In a mailbox: `own`, or of no
    /// meaning.
    Pid target;
    alignas(8) std::byte payload[payload_bytes]; // NOLINT(*-avoid-c-arrays): raw storage
};
static_assert(sizeof(Envelope) == 64);
/// The target of what a process sent itself for later, by timer or continuation: a full mailbox keeps it.
inline constexpr Pid own_message = Pid::from_value(~std::uint64_t{0});

/// A block. Throws std::bad_alloc.
[[nodiscard]] Envelope* allocate_envelope();
void free_envelope(Envelope* envelope) noexcept;
/// Frees an envelope whose payload is gone.
using EnvelopeOwner =
    std::unique_ptr<Envelope, decltype([](Envelope* owned) noexcept { free_envelope(owned); })>;

/// Takes `envelope` to `target`, of the node this thread belongs to. A stale target discards it with noproc.
void deliver(Pid target, Envelope* envelope);
/// The same for a node that this thread needn't belong to.
void deliver(Node& node, Pid target, Envelope* envelope);

template<typename P>
inline constexpr bool fits_inline = sizeof(P) <= Envelope::payload_bytes && alignof(P) <= 8;

/// Puts a P into the envelope: inside, or on the heap when it is large.
template<typename P, typename... Arguments>
void emplace_payload(Envelope& envelope, Arguments&&... arguments) {
    if constexpr (fits_inline<P>) {
        ::new (static_cast<void*>(envelope.payload)) P{std::forward<Arguments>(arguments)...};
    } else {
        ::new (static_cast<void*>(envelope.payload))
            P*(make_in_block<P>(std::forward<Arguments>(arguments)...));
    }
}

template<typename P>
[[nodiscard]] P& payload_of(Envelope& envelope) noexcept {
    if constexpr (fits_inline<P>) {
        return *std::launder(reinterpret_cast<P*>(envelope.payload));
    } else {
        return **std::launder(reinterpret_cast<P**>(envelope.payload));
    }
}

template<typename P>
void destroy_payload(Envelope& envelope) noexcept {
    if constexpr (fits_inline<P>) {
        std::destroy_at(&payload_of<P>(envelope));
    } else {
        destroy_in_block(&payload_of<P>(envelope));
    }
}

/// Destroys the payload when the handler is done, also when it threw.
template<typename P>
class PayloadScope {
public:
    explicit PayloadScope(Envelope& envelope) noexcept
        : m_envelope(envelope) {}
    PayloadScope(PayloadScope const&) = delete;
    PayloadScope& operator=(PayloadScope const&) = delete;
    PayloadScope(PayloadScope&&) = delete;
    PayloadScope& operator=(PayloadScope&&) = delete;
    ~PayloadScope() { destroy_payload<P>(m_envelope); }
    [[nodiscard]] P& operator*() const noexcept { return payload_of<P>(m_envelope); }
    [[nodiscard]] P* operator->() const noexcept { return &payload_of<P>(m_envelope); }

private:
    Envelope& m_envelope;
};

template<typename P>
void discard_payload(Envelope& envelope, ExitReason const& /*reason*/) noexcept {
    destroy_payload<P>(envelope);
}

/// A filled envelope. Strong guarantee: nothing leaks when P's constructor throws.
template<typename P, typename... Arguments>
[[nodiscard]] Envelope* make_envelope(MessageOps const& ops, Arguments&&... arguments) {
    Envelope* const envelope = allocate_envelope();
    try {
        emplace_payload<P>(*envelope, std::forward<Arguments>(arguments)...);
    } catch (...) {
        free_envelope(envelope);
        throw;
    }
    envelope->ops = &ops;
    return envelope;
}

} // namespace sinew::detail
