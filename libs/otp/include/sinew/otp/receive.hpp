/// Selective receive: a coroutine waits for the first message of the types it names; the others stay in the
/// mailbox, in their order (Erlang's `receive`).
///
///     auto const answer = co_await receive<Pong>(2s);                 // std::optional<Pong>
///     auto const event = co_await receive<Pong, Down>(2s);            // a variant of both, optional
///     if (!event) { ... }                                             // nothing of that came in 2 s
///
/// What can be received: what send() and timers bring, Exit, Down, FileReady, and calls, as Asked<R>. A
/// conversation (conversation.hpp) says which messages it takes; any other process hands out an inbox<M>().
/// Invariant: a message is received or stays; a time that is over leaves nothing behind. While a process
/// receives, the runtime's own messages (stop(), introspection) and the continuations of its requests are
/// handled, too; stop() then ends the coroutine where it waits. Looking for a message reads over those that
/// stay: keep them few.
/// Threading: in a process, inside a coroutine.
#pragma once

#include <sinew/otp/server.hpp>

#include <coroutine>
#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>

namespace sinew {

/// A call that was received: the question, and the right to answer it.
template<IsRequest R>
struct Asked {
    /// What is asked.
    R request;
    /// Answers it, at once or later.
    Deferred<R> reply;
};

namespace detail {

struct Receiving : Pending {
    /// Whether it is one of the types that are waited for.
    bool (*wants)(Envelope const& envelope) noexcept = nullptr;
};
/// The current process waits until `receiving.reply` is the message, or the time is over.
void begin_receive(Receiving& receiving, std::coroutine_handle<> waiter, Duration timeout);
/// Harmless when it is over.
void end_receive(Receiving& receiving) noexcept;

/// How an M lies in its envelope.
template<typename M>
struct Received {
    [[nodiscard]] static bool is_in(Envelope const& envelope) noexcept {
        return envelope.ops->form == PayloadForm::message && *envelope.ops->type == typeid(M);
    }
    [[nodiscard]] static M take(Envelope& envelope) {
        PayloadScope<M> const message(envelope);
        return std::move(*message);
    }
};
template<typename R>
struct Received<Asked<R>> {
    [[nodiscard]] static bool is_in(Envelope const& envelope) noexcept {
        return envelope.ops->form == PayloadForm::call && *envelope.ops->type == typeid(R);
    }
    [[nodiscard]] static Asked<R> take(Envelope& envelope) {
        PayloadScope<CallPayload<R>> const call(envelope);
        return {std::move(call->request), Deferred<R>(std::move(call->path))};
    }
};

template<typename M>
void deliver_unreceived(void* /*state*/, Envelope& envelope) {
    destroy_payload<M>(envelope);
    report_unreceived(typeid(M));
}
template<typename M>
inline constexpr MessageOps inbox_ops{.deliver = &deliver_unreceived<M>,
                                      .discard = &discard_payload<M>,
                                      .type = &typeid(M),
                                      .may_be_dropped = true,
                                      .form = PayloadForm::message};

} // namespace detail

/// What receive() returns; await it.
template<typename... Ms>
class [[nodiscard("co_await it")]] Receive {
    static_assert(sizeof...(Ms) > 0, "receive<...>() names the messages it waits for");

public:
    /// Nothing: the time was over.
    using Value = std::conditional_t<sizeof...(Ms) == 1,
                                     std::optional<std::variant_alternative_t<0, std::variant<Ms...>>>,
                                     std::optional<std::variant<Ms...>>>;

    explicit Receive(Duration timeout) noexcept
        : m_timeout(timeout) {}
    Receive(Receive const&) = delete;
    Receive& operator=(Receive const&) = delete;
    Receive(Receive&&) = delete;
    Receive& operator=(Receive&&) = delete;
    ~Receive() { detail::end_receive(m_receiving); }

    /// For the compiler.
    struct Awaiter {
        /// What is awaited.
        Receive& receive;
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiter) const {
            receive.m_receiving.wants = [](detail::Envelope const& envelope) noexcept {
                return (detail::Received<Ms>::is_in(envelope) || ...);
            };
            detail::begin_receive(receive.m_receiving, waiter, receive.m_timeout);
        }
        [[nodiscard]] Value await_resume() const { return receive.take(); }
    };
    [[nodiscard]] Awaiter operator co_await() & noexcept { return Awaiter{*this}; }
    [[nodiscard]] Awaiter operator co_await() && noexcept { return Awaiter{*this}; }

private:
    [[nodiscard]] Value take() {
        detail::Envelope* const envelope = std::exchange(m_receiving.reply, nullptr);
        detail::end_receive(m_receiving);
        Value value;
        if (envelope != nullptr) {
            detail::EnvelopeOwner const owner(envelope);
            (void)(take_if<Ms>(*envelope, value) || ...);
        }
        return value;
    }
    template<typename M>
    static bool take_if(detail::Envelope& envelope, Value& value) {
        if (!detail::Received<M>::is_in(envelope)) {
            return false;
        }
        value.emplace(detail::Received<M>::take(envelope));
        return true;
    }

    Duration m_timeout;
    detail::Receiving m_receiving;
};

/// Waits for the first message of one of these types; zero: looks whether one is there.
template<typename... Ms>
[[nodiscard]] Receive<Ms...> receive(Duration timeout = Duration::max()) {
    return Receive<Ms...>(timeout);
}

/// This process as a place to send an M to, which it will receive<M>(). In a process.
template<typename M>
[[nodiscard]] Recipient<M> inbox() {
    return Recipient<M>(self(), detail::inbox_ops<M>);
}

} // namespace sinew
