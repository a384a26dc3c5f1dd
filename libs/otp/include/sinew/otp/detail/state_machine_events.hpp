/// How a state machine finds the handler of an event: by the event's kind, its message and the state.
///
/// Threading: plain functions of the process.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/server.hpp>

#include <expected>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>

namespace sinew::detail {

struct OnCast {
    template<typename D, typename... A>
    static auto call(D& machine, A&&... arguments)
        -> decltype(machine.on_cast(std::forward<A>(arguments)...)) {
        return machine.on_cast(std::forward<A>(arguments)...);
    }
};
struct OnInfo {
    template<typename D, typename... A>
    static auto call(D& machine, A&&... arguments)
        -> decltype(machine.on_info(std::forward<A>(arguments)...)) {
        return machine.on_info(std::forward<A>(arguments)...);
    }
};
struct OnCall {
    template<typename D, typename... A>
    static auto call(D& machine, A&&... arguments)
        -> decltype(machine.on_call(std::forward<A>(arguments)...)) {
        return machine.on_call(std::forward<A>(arguments)...);
    }
};
struct OnTimeout {
    template<typename D, typename... A>
    static auto call(D& machine, A&&... arguments)
        -> decltype(machine.on_timeout(std::forward<A>(arguments)...)) {
        return machine.on_timeout(std::forward<A>(arguments)...);
    }
};
struct OnInternal {
    template<typename D, typename... A>
    static auto call(D& machine, A&&... arguments)
        -> decltype(machine.on_internal(std::forward<A>(arguments)...)) {
        return machine.on_internal(std::forward<A>(arguments)...);
    }
};
struct OnEnter {
    template<typename D, typename... A>
    static auto call(D& machine, A&&... arguments)
        -> decltype(machine.on_enter(std::forward<A>(arguments)...)) {
        return machine.on_enter(std::forward<A>(arguments)...);
    }
};

template<typename On, typename D, typename... A>
concept HasHandler = requires(D& machine, A... arguments) { On::call(machine, arguments...); };

template<typename On, typename D, typename State, typename... A>
struct HasStateHandler : std::false_type {};
template<typename On, typename D, typename... States, typename... A>
struct HasStateHandler<On, D, std::variant<States...>, A...>
    : std::bool_constant<(HasHandler<On, D, States&, A...> || ...)> {};

/// "D has an on_...() for A in some state."
template<typename On, typename D, typename State, typename... A>
concept HandlesEvent = HasHandler<On, D, A&...> || HasStateHandler<On, D, State, A&...>::value;

template<typename State>
struct IsVariant : std::false_type {};
template<typename... States>
struct IsVariant<std::variant<States...>> : std::true_type {};

template<typename State>
[[nodiscard]] bool is_other_state(State const& previous, State const& next) {
    if constexpr (IsVariant<State>::value) {
        return previous.index() != next.index();
    } else {
        return !(previous == next);
    }
}

[[noreturn]] void throw_unexpected_event(std::type_info const& machine, std::type_info const& event,
                                         std::type_info const& state);

/// Its init() has not called start_in().
[[nodiscard]] std::unexpected<Error> no_first_state(std::type_info const& machine);

/// Calls function(alternative) for a variant, function() for another state.
template<typename State, typename F>
decltype(auto) with_state(State& state, F&& function) {
    if constexpr (IsVariant<State>::value) {
        return std::visit(std::forward<F>(function), state);
    } else {
        return std::forward<F>(function)();
    }
}

template<typename On, typename D, typename... A>
void call_handler(D& machine, A&... arguments) {
    static_assert(!is_async<decltype(On::call(machine, arguments...))>,
                  "a state machine's handler can't be Async<>; use request().then()");
    (void)On::call(machine, arguments...);
}

template<typename On, typename D, typename State, typename M>
void dispatch_event(D& machine, State& state, M& message) {
    with_state(state, [&]<typename... Alternative>(Alternative&... alternative) {
        if constexpr (HasHandler<On, D, Alternative&..., M&>) {
            call_handler<On>(machine, alternative..., message);
        } else if constexpr (HasHandler<On, D, M&>) {
            call_handler<On>(machine, message);
        } else {
            throw_unexpected_event(typeid(D), typeid(M), typeid(std::tuple<Alternative...>));
        }
    });
}

/// Calls the handler of a call: it gets the right to answer, or returns the answer.
template<typename D, typename R, typename... A>
void call_call_handler(D& machine, R& request, Deferred<R>& reply, bool const& postpones, A&... state) {
    using Reply = typename R::Reply;
    if constexpr (HasHandler<OnCall, D, A&..., R&, Deferred<R>&>) {
        call_handler<OnCall>(machine, state..., request, reply);
    } else if constexpr (std::is_void_v<Reply>) {
        call_handler<OnCall>(machine, state..., request);
        if (!postpones) {
            reply.answer_from_handler();
        }
    } else {
        static_assert(!is_async<decltype(OnCall::call(machine, state..., request))>,
                      "a state machine's handler can't be Async<>; use request().then()");
        Reply answer = OnCall::call(machine, state..., request);
        if (!postpones) {
            reply.answer_from_handler(std::move(answer));
        }
    }
}

template<typename D, typename State, typename R>
void dispatch_call(D& machine, State& state, R& request, Deferred<R>& reply, bool const& postpones) {
    with_state(state, [&]<typename... Alternative>(Alternative&... alternative) {
        if constexpr (HasHandler<OnCall, D, Alternative&..., R&, Deferred<R>&> ||
                      HasHandler<OnCall, D, Alternative&..., R&>) {
            call_call_handler(machine, request, reply, postpones, alternative...);
        } else if constexpr (HandlesEvent<OnCall, D, std::monostate, R, Deferred<R>> ||
                             HandlesEvent<OnCall, D, std::monostate, R>) {
            call_call_handler(machine, request, reply, postpones);
        } else {
            throw_unexpected_event(typeid(D), typeid(R), typeid(std::tuple<Alternative...>));
        }
    });
}

template<typename D, typename State>
void dispatch_enter(D& machine, State& state, State const& previous) {
    with_state(state, [&]<typename... Alternative>(Alternative&... alternative) {
        if constexpr (sizeof...(Alternative) != 0 && HasHandler<OnEnter, D, Alternative&...>) {
            call_handler<OnEnter>(machine, alternative...);
        } else if constexpr (HasHandler<OnEnter, D, State const&>) {
            call_handler<OnEnter>(machine, previous);
        }
    });
}

} // namespace sinew::detail
