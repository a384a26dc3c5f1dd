/// Request<T>: a question on its way, asked by a process. Await it in an Async handler, or give it a
/// continuation.
///
///     auto reading = co_await request(name<Sensor>, Current{}, 500ms);              // other messages wait
///     request(name<Sensor>, Current{}, 500ms).then([this](auto reading) { ... });   // other messages go on
///
/// Invariant: it completes exactly once, with the answer or an Error; a late answer is dropped.
/// Threading: only inside a process; elsewhere call() waits.
#pragma once

#include <sinew/otp/detail/block.hpp>
#include <sinew/otp/detail/pending.hpp>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace sinew {
namespace detail {

/// Starts the question once its Pending has its final address.
struct RequestStart {
    /// Sends `envelope`, a filled call, along `path`.
    void (*go)(RequestStart& start, ReplyPath path) = nullptr;
    Pid target;
    Envelope* envelope = nullptr;
    /// Set instead of target and envelope when there is nobody to ask.
    RequestLabel label;
    std::optional<Duration> timeout;
};
/// Calls start.go, or fails at once where nobody can answer (calling itself).
void begin_request(RequestStart& start, ReplyPath path);
/// Makes `pending` part of the current process and sends. When that throws, it is not part of it any more.
void begin_request(RequestStart& start, Pending& pending);
/// The same; then the process waits, and the coroutine goes on with the answer, or with what sending threw.
void begin_request(RequestStart& start, Pending& pending, std::coroutine_handle<> waiter);
void discard_request(RequestStart& start) noexcept;

template<typename T, typename F>
struct ContinuationPending : Pending, InBlock {
    ContinuationPending(F then_function, RequestLabel request_label)
        : function(std::move(then_function))
        , label(request_label) {
        on_reply = [](Pending& base) {
            std::unique_ptr<ContinuationPending> const self(static_cast<ContinuationPending*>(&base));
            self->function(take_reply<T>(std::exchange(self->reply, nullptr), self->label));
        };
        abandon = [](Pending& base) noexcept { delete static_cast<ContinuationPending*>(&base); };
    }
    F function;
    RequestLabel label;
};

/// A path whose answer `function` gets, in this process and in mailbox order.
template<typename T, typename F>
[[nodiscard]] ReplyPath continue_with_answer(RequestLabel label, F function,
                                             std::optional<Duration> timeout = std::nullopt) {
    auto pending = std::make_unique<ContinuationPending<T, F>>(std::move(function), label);
    arm_pending(*pending, timeout);
    return path_to(*pending.release()); // Owned by the process now.
}

} // namespace detail

/// Names a request that has a continuation.
struct RequestId {
    /// Unique in its process; 0: none.
    std::uint64_t value = 0;
};
/// Gives it up: its continuation is never called. False: it has been, or is being called. Only in the process
/// that asked.
inline bool cancel(RequestId request) noexcept {
    return detail::cancel_request(request.value);
}

/// Whether GCC 12 keeps a temporary of this type intact inside a `co_await` expression: aggregates and
/// lambdas it copies bit by bit. (A lambda with captures has no default constructor; that is how it is told
/// from a std::function.)
template<typename T>
inline constexpr bool is_safe_in_await =
    std::is_trivially_copyable_v<T> || (!std::is_aggregate_v<T> && std::is_default_constructible_v<T>);

/// T is what the request's Reply says; a Reply that is itself a Result is not wrapped again. When
/// IsAwaitedInPlace is false, the request needs a name before it is awaited:
///
///     auto asked = request(name<Store>, Put{"key", "value"});
///     auto done = co_await asked;
template<typename T, bool IsAwaitedInPlace = true>
class [[nodiscard("co_await it, or give it a continuation with then()")]] Request {
public:
    /// What it completes with.
    using Value = detail::FlatResultOf<T>;

    /// For the runtime.
    explicit Request(detail::RequestStart start) noexcept
        : m_start(start) {}
    Request(Request&& other) noexcept
        : m_start(std::exchange(other.m_start, {})) {}
    Request(Request const&) = delete;
    Request& operator=(Request const&) = delete;
    Request& operator=(Request&&) = delete;
    ~Request() {
        detail::disarm_pending(m_pending);
        detail::discard_request(m_start);
    }

    /// For the compiler.
    struct Awaiter {
        /// What is awaited.
        Request& request;
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiter) const {
            detail::begin_request(request.m_start, request.m_pending, waiter);
        }
        // Not nodiscard: `co_await pause(1s);` has no answer worth a look.
        Value await_resume() const { // NOLINT(modernize-use-nodiscard)
            return detail::take_reply<T>(std::exchange(request.m_pending.reply, nullptr),
                                         request.m_start.label);
        }
    };
    [[nodiscard]] Awaiter operator co_await() & noexcept { return Awaiter{*this}; }
    [[nodiscard]] Awaiter operator co_await() && noexcept {
        static_assert(IsAwaitedInPlace,
                      "GCC 12 breaks such a temporary inside a co_await expression: give the request "
                      "a name first (auto asked = request(...); auto reply = co_await asked;)");
        return Awaiter{*this};
    }

    /// For a RequestCollection: the answer goes to `pending`. Returns what an error says of the target.
    detail::RequestLabel begin(detail::Pending& pending) && {
        detail::begin_request(m_start, pending);
        return m_start.label;
    }

    /// Calls `function(Value)` in this process when the answer comes, in mailbox order. Never calls it when
    /// the process ends first.
    template<typename F>
        requires std::is_invocable_v<F&, Value>
    RequestId then(F function) && {
        auto pending =
            std::make_unique<detail::ContinuationPending<T, F>>(std::move(function), m_start.label);
        detail::begin_request(m_start, *pending);
        return {pending.release()->ref}; // Owned by the process now.
    }

private:
    detail::RequestStart m_start;
    detail::Pending m_pending;
};

} // namespace sinew
