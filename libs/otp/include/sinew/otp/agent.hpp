/// Agent<T>: a value kept by a process, read and changed by functions that run there (Elixir's Agent).
///
///     using Settings = Agent<SettingsValue>;
///     child<Settings>({.initial = {.volume = 3}});                                       // in the tree
///     Result<int> volume = call(name<Settings>, Settings::get([](auto const& s) { return s.volume; }));
///     Result<> done = call(name<Settings>, Settings::update([](auto& s) { s.volume = 4; }));
///     cast(name<Settings>, Settings::change([](auto& s) { ++s.volume; }));
///
/// The functions are for call() outside processes and request() inside. One that throws ends the agent.
/// Threading: a process; the functions run there, one at a time.
#pragma once

#include <sinew/base/detail/std_function.hpp>
#include <sinew/otp/server.hpp>

#include <type_traits>
#include <utility>

namespace sinew {

template<typename T>
class Agent : public Server<Agent<T>> {
public:
    struct Options {
        /// The first value.
        T initial = {};
    };
    explicit Agent(Options options)
        : m_value(std::move(options.initial)) {}

    /// Answered with what the function returns.
    template<typename R>
    struct Read {
        using Reply = R;
        /// Runs in the agent.
        std::function<R(T const&)> function;
    };
    /// Changes, and is answered with what the function returns.
    template<typename R>
    struct Update {
        using Reply = R;
        /// Runs in the agent.
        std::function<R(T&)> function;
    };
    /// Changes without an answer.
    struct Change {
        /// Runs in the agent.
        std::function<void(T&)> function;
    };

    /// Reads.
    template<typename F>
    [[nodiscard]] static auto get(F function) -> Read<std::invoke_result_t<F&, T const&>> {
        return {std::move(function)};
    }
    /// Changes; a function that returns something is get-and-update.
    template<typename F>
    [[nodiscard]] static auto update(F function) -> Update<std::invoke_result_t<F&, T&>> {
        return {std::move(function)};
    }
    /// Changes without an answer: for cast().
    template<typename F>
    [[nodiscard]] static Change change(F function) {
        return {std::move(function)};
    }

    template<typename R>
    R handle_call(Read<R> request) {
        return request.function(std::as_const(m_value));
    }
    template<typename R>
    R handle_call(Update<R> request) {
        return request.function(m_value);
    }
    void handle_cast(Change message) { message.function(m_value); }

private:
    T m_value;
};

} // namespace sinew
