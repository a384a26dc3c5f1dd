/// The constants that carry a message of one type to a handler of one server class.
///
/// Included by server.hpp. Threading: constants; deliver runs in the process.
#pragma once

#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/block.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>

#include <concepts>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sinew::detail {

/// What can be sent.
template<typename M>
inline constexpr bool is_message = std::is_move_constructible_v<M>;

template<typename Returned>
void run_to_end(Returned&& returned) {
    static_assert(is_async<Returned>, "this handler must return void or sinew::Async<>");
    start_root(std::forward<Returned>(returned));
}

/// Calls a handler that returns void or Async<>.
template<typename F>
void run_handler(F&& function) {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
        std::forward<F>(function)();
    } else {
        run_to_end(std::forward<F>(function)());
    }
}

template<typename S, typename M>
void deliver_info(void* state, Envelope& envelope) {
    PayloadScope<M> message(envelope);
    if constexpr (HasInfoHandler<S, M>) {
        run_handler([&] { return static_cast<S*>(state)->handle_info(std::move(*message)); });
    } else {
        report_unreceived(typeid(M));
    }
}
template<typename S, typename M>
void deliver_cast(void* state, Envelope& envelope) {
    PayloadScope<M> message(envelope);
    run_handler([&] { return static_cast<S*>(state)->handle_cast(std::move(*message)); });
}

template<typename S>
void deliver_idle(void* state, Envelope& envelope) {
    PayloadScope<IdleMark> const mark(envelope);
    if (is_still_idle(*mark)) {
        run_handler([&] { return static_cast<S*>(state)->handle_info(IdleTimeout{}); });
    }
}

template<typename S>
inline constexpr MessageOps idle_ops{
    .deliver = &deliver_idle<S>, .discard = &discard_payload<IdleMark>, .type = &typeid(IdleTimeout)};
template<typename S, typename M>
inline constexpr MessageOps info_ops{.deliver = &deliver_info<S, M>,
                                     .discard = &discard_payload<M>,
                                     .type = &typeid(M),
                                     .may_be_dropped = true,
                                     .form = PayloadForm::message};
/// A tick of an interval: all of them share the message.
template<typename S, typename M>
void deliver_tick(void* state, Envelope& envelope) {
    PayloadScope<TickPayload> const tick(envelope);
    M message(*static_cast<M const*>(tick->get()));
    tick->reset(); // It doesn't wait any more.
    run_handler([&] { return static_cast<S*>(state)->handle_info(std::move(message)); });
}
template<typename S, typename M>
inline constexpr MessageOps tick_ops{.deliver = &deliver_tick<S, M>,
                                     .discard = &discard_payload<TickPayload>,
                                     .type = &typeid(M),
                                     .may_be_dropped = true};

template<typename S, typename M>
inline constexpr MessageOps cast_ops{.deliver = &deliver_cast<S, M>,
                                     .discard = &discard_payload<M>,
                                     .type = &typeid(M),
                                     .may_be_dropped = true};

/// Sends `message` to the current process, which is an S, after `delay`.
template<typename S, typename M>
void send_self_later(Duration delay, M message) {
    void* node = nullptr;
    (void)send_later(delay, make_envelope<M>(info_ops<S, M>, std::move(message)), &node);
}

template<typename R>
struct CallPayload {
    ReplyPath path;
    R request;
};

template<typename R>
void discard_call(Envelope& envelope, ExitReason const& reason) noexcept {
    payload_of<CallPayload<R>>(envelope).path.fail(RequestFailure::ended, reason);
    destroy_payload<CallPayload<R>>(envelope);
}

// A process destroys its coroutines before its state: these may hold references to it.
// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters)
template<typename S, typename R>
Async<void> drive_call(S& server, R request, ReplyPath path) {
    using Reply = typename R::Reply;
    auto handler = server.handle_call(std::move(request));
    if constexpr (std::is_void_v<Reply>) {
        co_await handler;
        path.answer_from_handler(make_reply<void>(path));
    } else {
        Reply value = co_await handler;
        path.answer_from_handler(make_reply<Reply>(path, std::move(value)));
    }
}

template<typename S, typename R>
void deliver_call(void* state, Envelope& envelope) {
    using Reply = typename R::Reply;
    S& server = *static_cast<S*>(state);
    PayloadScope<CallPayload<R>> const call(envelope);
    if constexpr (ReceivesCall<S, R>) {
        report_unreceived(typeid(R));
    } else if constexpr (HandlesCallLater<S, R>) {
        run_handler(
            [&] { return server.handle_call(std::move(call->request), Deferred<R>(std::move(call->path))); });
    } else if constexpr (is_async<decltype(server.handle_call(std::move(call->request)))>) {
        start_root(drive_call<S, R>(server, std::move(call->request), std::move(call->path)));
    } else if constexpr (std::is_void_v<Reply>) {
        server.handle_call(std::move(call->request));
        call->path.answer_from_handler(make_reply<void>(call->path));
    } else {
        constexpr bool is_reply =
            std::is_convertible_v<decltype(server.handle_call(std::move(call->request))), Reply>;
        static_assert(is_reply, "handle_call() must return the request's Reply, or sinew::Async of it");
        if constexpr (is_reply) {
            Reply value = server.handle_call(std::move(call->request));
            call->path.answer_from_handler(make_reply<Reply>(call->path, std::move(value)));
        }
    }
}

/// Its messages are the runtime's own.
template<typename S>
inline constexpr bool is_system_face = requires { typename S::IsSystem; };

template<typename S, typename R>
inline constexpr MessageOps call_ops{.deliver = &deliver_call<S, R>,
                                     .discard = &discard_call<R>,
                                     .type = &typeid(R),
                                     .may_be_dropped = !is_system_face<S>,
                                     .is_system = is_system_face<S>,
                                     .form = PayloadForm::call};

[[nodiscard]] inline Result<Start> to_start(Result<void> result) {
    if (!result) {
        return std::unexpected(std::move(result).error());
    }
    return Start::running;
}
[[nodiscard]] inline Result<Start> to_start(Result<Start> result) {
    return result;
}

/// Its init(), if it has one, returns what an init() may.
template<typename S>
concept HasGoodInit =
    !requires(S& server) { server.init(); } ||
    requires(S& server) { requires std::is_void_v<decltype(server.init())>; } ||
    requires(S& server) { requires std::is_same_v<decltype(server.init()), Async<void>>; } ||
    requires(S& server) { to_start(server.init()); } ||
    requires(S& server) { to_start(server.init().handle().promise().take()); };
#define SINEW_BAD_INIT "init() must return nothing, Result<>, Result<Start>, or sinew::Async of one of them"

/// init() has said `result`; the class may find that something is missing.
template<typename S>
void finish_init([[maybe_unused]] S& server, Result<Start> result) {
    if constexpr (requires { server.check_first_state(); }) {
        if (result && *result == Start::running && !is_stop_requested()) {
            if (Result<> checked = server.check_first_state(); !checked) {
                result = std::unexpected(std::move(checked).error());
            }
        }
    }
    init_done(std::move(result));
}

template<typename S>
Async<void> drive_init(S& server) {
    auto init = server.init();
    if constexpr (std::is_same_v<decltype(init), Async<void>>) {
        co_await init;
        finish_init(server, Start::running);
    } else {
        auto result = co_await init;
        finish_init(server, to_start(std::move(result)));
    }
}

/// The process is its run().
template<typename S>
concept IsConversation = requires { typename S::Takes; };
template<typename S>
concept HasRun = requires(S& server) {
    { server.run() } -> std::same_as<Async<void>>;
};

struct BeginRun {};
template<typename S>
Async<void> drive_run(S& server) {
    auto running = server.run();
    co_await running;
    stop_self(ExitReason::normal());
}
// NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)

template<typename S>
void deliver_run(void* state, Envelope& envelope) {
    static_assert(HasRun<S>, "a conversation has a public run() that returns sinew::Async<>");
    destroy_payload<BeginRun>(envelope);
    start_root(drive_run(*static_cast<S*>(state)));
}
template<typename S>
inline constexpr MessageOps run_ops{
    .deliver = &deliver_run<S>, .discard = &discard_payload<BeginRun>, .type = &typeid(BeginRun)};

template<typename S>
void run_init(void* state) {
    S& server = *static_cast<S*>(state);
    if constexpr (IsConversation<S>) {
        send_first(make_envelope<BeginRun>(run_ops<S>));
    }
    if constexpr (!requires { server.init(); }) {
        finish_init(server, Start::running);
    } else if constexpr (is_async<decltype(server.init())>) {
        start_root(drive_init(server));
    } else if constexpr (std::is_void_v<decltype(server.init())>) {
        server.init();
        finish_init(server, Start::running);
    } else {
        finish_init(server, to_start(server.init()));
    }
}

/// A server's state lies in a block, unless it is over-aligned.
template<typename S>
inline constexpr bool lies_in_block = alignof(S) <= 16;
template<typename S, typename... Arguments>
[[nodiscard]] void* make_state_object(Arguments&&... arguments) {
    if constexpr (!lies_in_block<S>) {
        return new S(std::forward<Arguments>(arguments)...);
    } else {
        void* const block = allocate_block(sizeof(S));
        try {
            return ::new (block) S(std::forward<Arguments>(arguments)...);
        } catch (...) {
            free_block(block, sizeof(S));
            throw;
        }
    }
}
template<typename S>
void destroy_state_object(S* state) noexcept {
    if constexpr (!lies_in_block<S>) {
        delete state;
    } else {
        std::destroy_at(state);
        free_block(state, sizeof(S));
    }
}
/// It has a public state() that returns a reference to a described struct.
template<typename S>
concept ShowsState = requires(S& server) {
    server.state();
    requires std::is_reference_v<decltype(server.state())>;
    requires IsDescribed<std::remove_cvref_t<decltype(server.state())>>;
};
template<typename S>
concept LetsStateBeReplaced =
    ShowsState<S> && !std::is_const_v<std::remove_reference_t<decltype(std::declval<S&>().state())>>;

template<typename S>
constexpr Behaviour make_behaviour() {
    Behaviour behaviour{.type = &typeid(S), .init = &run_init<S>};
    behaviour.destroy = [](void* state) noexcept { destroy_state_object(static_cast<S*>(state)); };
    if constexpr (requires(S& server, ExitReason reason) { server.terminate(reason); }) {
        behaviour.terminate = [](void* state, ExitReason const& reason) {
            run_handler([&] { return static_cast<S*>(state)->terminate(reason); });
        };
    }
    if constexpr (HasInfoHandler<S, Exit>) {
        behaviour.handle_exit = [](void* state, Exit message) {
            run_handler([&] { return static_cast<S*>(state)->handle_info(std::move(message)); });
        };
    }
    if constexpr (HasInfoHandler<S, Down>) {
        behaviour.handle_down = [](void* state, Down message) {
            run_handler([&] { return static_cast<S*>(state)->handle_info(std::move(message)); });
        };
    }
    if constexpr (HasInfoHandler<S, FileReady>) {
        behaviour.handle_file = [](void* state, FileReady message) {
            run_handler([&] { return static_cast<S*>(state)->handle_info(message); });
        };
    }
    behaviour.state_bytes = sizeof(S);
    if constexpr (ShowsState<S>) {
        behaviour.shown_state = [](void* state) -> void const* { return &static_cast<S*>(state)->state(); };
        behaviour.shown_type = table_of<std::remove_cvref_t<decltype(std::declval<S&>().state())>>();
    }
    if constexpr (LetsStateBeReplaced<S>) {
        behaviour.decode_state = [](void* state, Value const& value) {
            return decode_copy(static_cast<S*>(state)->state(), value, "state");
        };
    }
    behaviour.is_supervisor = requires { typename S::IsSupervisor; };
    return behaviour;
}

template<typename S>
inline constexpr Behaviour behaviour_of = make_behaviour<S>();
template<typename S>
Behaviour const& behaviour_constant() noexcept {
    return behaviour_of<S>;
}

/// Makes an S from a copy of `options` each time: what a supervisor restarts from.
template<typename S, typename... Options>
class ServerBlueprint final : public Blueprint {
public:
    explicit ServerBlueprint(Options... options)
        : Blueprint(behaviour_of<S>)
        , m_options(std::move(options)...) {}
    [[nodiscard]] void* construct() const override {
        return std::apply([](auto const&... options) { return make_state_object<S>(options...); }, m_options);
    }

private:
    std::tuple<Options...> m_options;
};

/// A blueprint that a supervisor restarts from.
template<typename S, typename... Options>
[[nodiscard]] std::shared_ptr<Blueprint const> restartable_blueprint(Options... options) {
    constexpr bool is_copyable = (std::is_copy_constructible_v<Options> && ...);
    constexpr bool is_constructible = std::is_constructible_v<S, Options const&...>;
    static_assert(is_copyable, "a child starts from a copy of its options each time: they must be copyable");
    static_assert(!is_copyable || is_constructible,
                  "this server has no public constructor that takes these options, or none without any");
    static_assert(!is_copyable || !is_constructible || HasGoodInit<S>, SINEW_BAD_INIT);
    if constexpr (is_copyable && is_constructible && HasGoodInit<S>) {
        return make_shared_in_block<ServerBlueprint<S, Options...>>(std::move(options)...);
    } else {
        return {};
    }
}

/// Makes one S, its arguments moved in.
template<typename S, typename... Arguments>
class OnceBlueprint final : public Blueprint {
public:
    explicit OnceBlueprint(Arguments... arguments)
        : Blueprint(behaviour_of<S>)
        , m_arguments(std::move(arguments)...) {}
    [[nodiscard]] void* construct() const override {
        return std::apply([](auto&... arguments) { return make_state_object<S>(std::move(arguments)...); },
                          m_arguments);
    }

private:
    mutable std::tuple<Arguments...> m_arguments;
};

} // namespace sinew::detail
