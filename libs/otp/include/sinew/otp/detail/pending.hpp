/// Pending: an answer that a process (or a thread outside) waits for, and the way the answer takes back.
///
/// Invariant: a reference is unique; an answer whose reference is no longer pending is dropped, so a late
/// answer never reaches a later caller. Every call is answered exactly once: by its handler, or by whatever
/// destroys it. Threading: a Pending belongs to its process; a ReplyPath may be answered on any thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sinew::detail {

/// A place in a list of a worker's timing wheel: a node's, or the list's head.
struct TimerLink {
    TimerLink* next = nullptr;
    TimerLink* previous = nullptr;
};

/// A node of a worker's timing wheel.
struct TimerNode : TimerLink {
    std::int64_t due_ns = 0;
    /// Orders equal times; also the identity of the timer.
    std::uint64_t sequence = 0;
    void (*fire)(TimerNode& node) = nullptr;
    [[nodiscard]] bool is_armed() const noexcept { return next != nullptr; }
};

/// Why a request got no answer.
enum class RequestFailure : std::uint8_t {
    /// The server ended first; see the exit reason (noproc: there was none).
    ended,
    timed_out,
    /// A process called itself.
    calling_self,
    /// The handler dropped its Deferred.
    dropped,
    /// Blocking work threw.
    work_threw,
    /// init() failed, or its process was ended.
    start_failed,
    /// Another process has the name.
    name_taken,
    /// Blocking work was refused.
    pool_full
};

struct Pending : TimerNode {
    enum class State : std::uint8_t { idle, waiting, answered };
    Pending* next_pending = nullptr;
    Pending* previous_pending = nullptr;
    std::uint64_t ref = 0;
    Process* owner = nullptr;
    /// The answer, once there.
    Envelope* reply = nullptr;
    /// Set when a coroutine waits: it is resumed. Otherwise on_reply is called in mailbox order; with
    /// keeps_reply at once, by the runtime.
    std::coroutine_handle<> waiter;
    void (*on_reply)(Pending& pending) = nullptr;
    /// Frees a Pending that lives on the heap, without an answer (the process ended).
    void (*abandon)(Pending& pending) noexcept = nullptr;
    State state = State::idle;
    /// Without a waiter: an answer stays here until someone takes it.
    bool keeps_reply = false;
};

/// Where an answer goes. Whoever holds it answers; destroying it unanswered answers with a failure.
class ReplyPath {
public:
    ReplyPath() = default;
    ReplyPath(std::uint64_t address, std::uint64_t ref) noexcept
        : m_address(address)
        , m_ref(ref) {}
    ReplyPath(ReplyPath&& other) noexcept
        : m_address(std::exchange(other.m_address, 0))
        , m_ref(std::exchange(other.m_ref, 0)) {}
    ReplyPath& operator=(ReplyPath&& other) noexcept {
        if (this != &other) {
            drop();
            m_address = std::exchange(other.m_address, 0);
            m_ref = std::exchange(other.m_ref, 0);
        }
        return *this;
    }
    ReplyPath(ReplyPath const&) = delete;
    ReplyPath& operator=(ReplyPath const&) = delete;
    ~ReplyPath() { drop(); }
    [[nodiscard]] explicit operator bool() const noexcept { return m_ref != 0; }
    [[nodiscard]] std::uint64_t ref() const noexcept { return m_ref; }
    [[nodiscard]] std::uint64_t address() const noexcept { return m_address; }
    /// Sends the filled reply envelope and is empty afterwards.
    void answer(Envelope* reply) noexcept;
    /// The same for the value a handle_call returned: it waits for terminate() if the handler asked to stop.
    void answer_from_handler(Envelope* reply);
    /// Gives up the right to answer: a filled reply is on its way otherwise.
    void forget() noexcept { m_ref = 0; }
    void fail(RequestFailure failure, ExitReason const& reason = {}) noexcept;

private:
    void drop() noexcept {
        if (m_ref != 0) {
            drop_unanswered();
        }
    }
    void drop_unanswered() noexcept;
    /// A Pid, or the address of an ExternalReply when m_ref has external_bit.
    std::uint64_t m_address = 0;
    std::uint64_t m_ref = 0;
};

/// The beginning of each reply's payload.
struct ReplyHeader {
    std::uint64_t ref = 0;
};

template<typename T>
struct ReplyPayload {
    ReplyHeader header;
    T value;
};
template<>
struct ReplyPayload<void> {
    ReplyHeader header;
};

struct FailurePayload {
    ReplyHeader header;
    RequestFailure failure = RequestFailure::ended;
    ExitReason reason;
};

template<typename T>
inline constexpr MessageOps reply_ops{.kind = EnvelopeKind::reply,
                                      .discard = &discard_payload<ReplyPayload<T>>,
                                      .is_heap = !fits_inline<ReplyPayload<T>>};
extern MessageOps const failure_ops;

/// Whom a request went to, for its error text.
struct RequestLabel {
    Pid target;
    /// Instead of a class, for what is no server.
    std::string_view target_name = {};
    std::type_info const* target_type = nullptr;
    std::type_info const* request_type = nullptr;
};

/// The Error a caller sees. Takes the failure out of `reply`.
[[nodiscard]] Error make_request_error(Envelope& reply, RequestLabel const& label);

/// Result<T> stays Result<T>; another T becomes Result<T>.
template<typename T>
struct FlatResult {
    using Type = Result<T>;
};
template<typename T>
struct FlatResult<std::expected<T, Error>> {
    using Type = std::expected<T, Error>;
};
template<typename T>
using FlatResultOf = typename FlatResult<T>::Type;

template<typename T>
[[nodiscard]] Envelope* make_reply(ReplyPath const& path, auto&&... value) {
    if constexpr (std::is_void_v<T>) {
        return make_envelope<ReplyPayload<void>>(reply_ops<void>, ReplyHeader{path.ref()});
    } else {
        return make_envelope<ReplyPayload<T>>(reply_ops<T>, ReplyHeader{path.ref()},
                                              std::forward<decltype(value)>(value)...);
    }
}

/// Takes the value out of the answer and frees it.
template<typename T>
[[nodiscard]] FlatResultOf<T> take_reply(Envelope* reply, RequestLabel const& label) {
    EnvelopeOwner const owner(reply);
    if (reply->ops == &failure_ops) {
        return std::unexpected(make_request_error(*reply, label));
    }
    PayloadScope<ReplyPayload<T>> const payload(*reply);
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(payload->value);
    }
}

/// Makes `pending` part of the current process and gives it a reference and a limit.
void arm_pending(Pending& pending, std::optional<Duration> timeout);
/// Takes it off; frees an answer that came. Harmless when it is not armed.
void disarm_pending(Pending& pending) noexcept;
/// Gives a request with a continuation up. False: it was answered, or is not this process's.
bool cancel_request(std::uint64_t ref) noexcept;
/// The current process waits: its coroutine goes on when the answer is there.
void suspend_for(Pending& pending, std::coroutine_handle<> waiter);
/// The same for `time` at most; then the coroutine goes on without an answer, which may still come.
void suspend_for(Pending& pending, std::coroutine_handle<> waiter, Duration time);
[[nodiscard]] ReplyPath path_to(Pending const& pending) noexcept;

} // namespace sinew::detail
