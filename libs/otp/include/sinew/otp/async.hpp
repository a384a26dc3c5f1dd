/// Async<T>: the return type of a handler that awaits something inside: a call's answer, blocking work, a
/// pause.
///
///     Async<double> handle_call(Average) {
///         auto left = co_await request(name<Sensor>("left"), Current{}, 500ms);
///         auto right = co_await request(name<Sensor>("right"), Current{}, 500ms);
///         co_return (left.value_or(0) + right.value_or(0)) / 2;
///     }
///
/// Invariant: while a handler waits, its process handles no other message (as in OTP); exits still reach it.
/// Threading: runs in its process only. With GCC 12 a request that holds more than plain bytes gets a name
/// before it is awaited (see request.hpp; the compiler says so), and a coroutine takes its parameters by
/// value.
#pragma once

#include <sinew/otp/detail/block.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace sinew {

template<typename T = void>
class Async;

namespace detail {

class AsyncPromiseBase : public InBlock {
public:
    struct FinalAwaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template<typename Promise>
        [[nodiscard]] std::coroutine_handle<>
        await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
            std::coroutine_handle<> const next = finished.promise().m_continuation;
            return next ? next : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { m_exception = std::current_exception(); }
    void set_continuation(std::coroutine_handle<> continuation) noexcept { m_continuation = continuation; }
    void rethrow_if_failed() const {
        if (m_exception) {
            std::rethrow_exception(m_exception);
        }
    }

private:
    std::coroutine_handle<> m_continuation;
    std::exception_ptr m_exception;
};

template<typename T>
class AsyncPromise : public AsyncPromiseBase {
public:
    Async<T> get_return_object() noexcept;
    template<typename U>
    void return_value(U&& value) {
        m_value.emplace(std::forward<U>(value));
    }
    [[nodiscard]] T take() {
        rethrow_if_failed();
        return *std::move(m_value); // NOLINT(bugprone-unchecked-optional-access): return_value() was called
    }

private:
    std::optional<T> m_value;
};

template<>
class AsyncPromise<void> : public AsyncPromiseBase {
public:
    Async<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const { rethrow_if_failed(); }
};

} // namespace detail

/// Owns a coroutine that starts when it is awaited.
template<typename T>
class [[nodiscard]] Async {
public:
    /// For the compiler.
    using promise_type =
        detail::AsyncPromise<T>; // NOLINT(readability-identifier-naming): the language's name
    /// The coroutine.
    using Handle = std::coroutine_handle<promise_type>;

    /// For the compiler.
    explicit Async(Handle handle) noexcept
        : m_handle(handle) {}
    Async(Async&& other) noexcept
        : m_handle(std::exchange(other.m_handle, {})) {}
    Async& operator=(Async&& other) noexcept {
        std::swap(m_handle, other.m_handle);
        return *this;
    }
    Async(Async const&) = delete;
    Async& operator=(Async const&) = delete;
    ~Async() {
        if (m_handle) {
            m_handle.destroy();
        }
    }

    /// For the compiler.
    struct Awaiter {
        /// Who is awaited.
        Handle handle;
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
            handle.promise().set_continuation(waiting);
            return handle;
        }
        [[nodiscard]] T await_resume() const { return handle.promise().take(); }
    };
    /// Runs it; the awaiting coroutine goes on with its value, or its exception.
    [[nodiscard]] Awaiter operator co_await() const& noexcept { return Awaiter{m_handle}; }
    [[nodiscard]] Awaiter operator co_await() && noexcept { return Awaiter{m_handle}; }

    /// For the runtime.
    [[nodiscard]] Handle handle() const noexcept { return m_handle; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(m_handle); }

private:
    Handle m_handle;
};

namespace detail {

template<typename T>
Async<T> AsyncPromise<T>::get_return_object() noexcept {
    return Async<T>(std::coroutine_handle<AsyncPromise>::from_promise(*this));
}
inline Async<void> AsyncPromise<void>::get_return_object() noexcept {
    return Async<void>(std::coroutine_handle<AsyncPromise>::from_promise(*this));
}

template<typename T>
struct IsAsync : std::false_type {};
template<typename T>
struct IsAsync<Async<T>> : std::true_type {
    using Value = T;
};
template<typename T>
inline constexpr bool is_async = IsAsync<std::remove_cvref_t<T>>::value;

/// Runs the rest of a handler as this process's handler in progress; returns when it is done or waits.
void start_root(Async<void> root);

} // namespace detail
} // namespace sinew
