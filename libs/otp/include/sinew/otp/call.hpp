/// Talking to servers: call, request, cast, send; and starting them: spawn, start.
///
/// call() waits and is for threads outside the scheduler (main, tests); inside a handler use request(), which
/// is awaited or continued. Both give up after a time limit, 5 s unless told otherwise. Errors of call() and
/// request(): not_found: no such process; timed_out; unavailable: the server ended before it answered (its
/// exit reason is in the text), or dropped the question; invalid_argument: a process asked itself. Threading:
/// cast() and send() never block and work anywhere a node is current; a process that is gone is no error.
#pragma once

#include <sinew/otp/server.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace sinew {

/// How long an answer is waited for.
inline constexpr Duration default_call_timeout = std::chrono::seconds(5);

namespace detail {

/// Sends the call and blocks this thread until the answer, or fails it after `timeout`. Returns the reply
/// envelope. Throws std::logic_error on a scheduler thread.
[[nodiscard]] Envelope* wait_for_reply(RequestStart& start);
[[nodiscard]] RequestStart make_request_start(Pid target, std::type_info const& target_type,
                                              std::type_info const& request_type, Envelope* envelope,
                                              std::optional<Duration> timeout);
/// How to put a path into a filled call envelope before it goes.
using SetPath = void (*)(Envelope& envelope, ReplyPath path);

template<typename S, typename R>
[[nodiscard]] RequestStart start_call(Pid target, R request, std::optional<Duration> timeout) {
    static_assert(is_message<R>, "a request must be movable: it is moved to its process");
    static_assert(!is_message<R> || HandlesCall<S, R>,
                  "this server has no public handle_call() for that request");
    if constexpr (is_message<R> && HandlesCall<S, R>) {
        Envelope* const envelope =
            make_envelope<CallPayload<R>>(call_ops<S, R>, ReplyPath(), std::move(request));
        RequestStart start = make_request_start(target, typeid(S), typeid(R), envelope, timeout);
        start.go = [](RequestStart& self, ReplyPath path) {
            payload_of<CallPayload<R>>(*self.envelope).path = std::move(path);
            deliver(self.target, std::exchange(self.envelope, nullptr));
        };
        return start;
    } else {
        std::unreachable();
    }
}

} // namespace detail

/// Asks `target` and waits for the answer. Blocks; not inside a process.
template<Target T, IsRequest R>
[[nodiscard]] auto call(T const& target, R request, Duration timeout = default_call_timeout)
    -> detail::FlatResultOf<typename R::Reply> {
    detail::RequestStart start =
        detail::start_call<typename T::ServerType, R>(detail::resolve(target), std::move(request), timeout);
    detail::Envelope* const reply = detail::wait_for_reply(start);
    return detail::take_reply<typename R::Reply>(reply, start.label);
}

/// Asks `target` from inside a process: `co_await request(...)`, or `request(...).then(...)`.
template<Target T, IsRequest R>
[[nodiscard]] auto request(T const& target, R request, Duration timeout = default_call_timeout)
    -> Request<typename R::Reply, is_safe_in_await<R>> {
    return Request<typename R::Reply, is_safe_in_await<R>>(
        detail::start_call<typename T::ServerType, R>(detail::resolve(target), std::move(request), timeout));
}

/// What is no request gets a sentence instead of a list of candidates.
template<Target T, typename R>
    requires(!IsRequest<R>)
void call(T const& /*target*/, R /*request*/, Duration /*timeout*/ = default_call_timeout) {
    static_assert(IsRequest<R>, "a call's request names its answer: struct R { using Reply = ...; };");
}
/// See above.
template<Target T, typename R>
    requires(!IsRequest<R>)
void request(T const& /*target*/, R /*request*/, Duration /*timeout*/ = default_call_timeout) {
    static_assert(IsRequest<R>, "a call's request names its answer: struct R { using Reply = ...; };");
}

/// Sends `message` to the target's handle_cast().
template<Target T, typename M>
void cast(T const& target, M message) {
    using S = typename T::ServerType;
    static_assert(detail::is_message<M>, "a message must be movable: it is moved to its process");
    static_assert(!detail::is_message<M> || HandlesCast<S, M>,
                  "this server has no public handle_cast() for that message");
    if constexpr (detail::is_message<M> && HandlesCast<S, M>) {
        if (Pid const pid = detail::resolve(target)) {
            detail::deliver(pid, detail::make_envelope<M>(detail::cast_ops<S, M>, std::move(message)));
        }
    }
}

/// Sends `message` to the target's handle_info().
template<Target T, typename M>
void send(T const& target, M message) {
    using S = typename T::ServerType;
    static_assert(detail::is_message<M>, "a message must be movable: it is moved to its process");
    static_assert(!detail::is_message<M> || HandlesInfo<S, M>,
                  "this server has no public handle_info() for that message");
    if constexpr (detail::is_message<M> && HandlesInfo<S, M>) {
        if (Pid const pid = detail::resolve(target)) {
            detail::deliver(pid, detail::make_envelope<M>(detail::info_ops<S, M>, std::move(message)));
        }
    }
}
/// The same for a recipient whose class isn't known.
template<typename M>
void send(Recipient<M> const& recipient, M message) {
    recipient.send(std::move(message));
}

namespace detail {

template<typename T, typename M>
struct DelayedSend {
    T target;
    M message;
};
template<typename T, typename M>
void send_delayed(Process& /*setter*/, Envelope& envelope) {
    PayloadScope<DelayedSend<T, M>> const due(envelope);
    send(due->target, std::move(due->message));
}
template<typename T, typename M>
inline constexpr MessageOps delayed_send_ops{.kind = EnvelopeKind::signal,
                                             .discard = &discard_payload<DelayedSend<T, M>>,
                                             .arrive = &send_delayed<T, M>};

} // namespace detail

/// send() after `delay`, never early; a name is looked up then. In a process, and only while that lives: a
/// Server's own send_after() is for itself.
template<typename T, typename M>
    requires requires(T const& target, M message) { send(target, std::move(message)); }
Timer send_after(Duration delay, T const& target, M message) {
    Timer timer;
    timer.sequence = detail::send_later(delay,
                                        detail::make_envelope<detail::DelayedSend<T, M>>(
                                            detail::delayed_send_ops<T, M>, target, std::move(message)),
                                        &timer.node);
    return timer;
}

/// monitor() for the process that has that name now; nobody: one Down with noproc and an empty Pid.
template<Target T>
MonitorRef monitor(T const& target) {
    return monitor(detail::resolve(target));
}

/// Where and how a new process lives.
struct StartOptions {
    /// Registers it under this text: `name<S>("text")`.
    std::string name = {};
    /// Registers it as the node's S: `name<S>`.
    bool is_registered_by_type = false;
    /// Registers it in a Registry (registry.via<S>(key)).
    std::shared_ptr<detail::NameClaim const> via = {};
    /// init() may take so long; then the process is ended, and the start's error is timed_out.
    Duration timeout = Duration::max();
};

namespace detail {

template<typename S, typename... Arguments>
[[nodiscard]] std::shared_ptr<Blueprint const> blueprint_for(Arguments&&... arguments) {
    constexpr bool is_constructible = std::is_constructible_v<S, std::decay_t<Arguments>...>;
    static_assert(is_constructible, "this server has no public constructor that takes these arguments");
    static_assert(!is_constructible || HasGoodInit<S>, SINEW_BAD_INIT);
    if constexpr (is_constructible && HasGoodInit<S>) {
        using Made = OnceBlueprint<S, std::decay_t<Arguments>...>;
        return make_shared_in_block<Made>(std::forward<Arguments>(arguments)...);
    } else {
        return {};
    }
}
template<typename S>
[[nodiscard]] SpawnOptions spawn_options(StartOptions options, bool is_linked) {
    SpawnOptions spawn;
    spawn.type_slot = options.is_registered_by_type ? type_slot<S> : no_type_slot;
    spawn.name = std::move(options.name);
    spawn.via = std::move(options.via);
    spawn.start_timeout = options.timeout;
    spawn.is_linked = is_linked;
    return spawn;
}

/// A process that runs one function and ends.
template<typename F>
class FunctionProcess {
public:
    struct Run {};
    explicit FunctionProcess(F function)
        : m_function(std::move(function)) {}
    void init() { send_first(make_envelope<Run>(info_ops<FunctionProcess, Run>)); }
    auto handle_info(Run /*run*/) -> std::invoke_result_t<F&> {
        if constexpr (is_async<std::invoke_result_t<F&>>) {
            return await_function();
        } else {
            m_function();
            stop_self(ExitReason::normal());
        }
    }

private:
    Async<void> await_function() {
        auto running = m_function();
        co_await running;
        stop_self(ExitReason::normal());
    }
    F m_function;
};

} // namespace detail

/// Makes a process running S(arguments...) and returns at once; its init() runs soon, before any message it
/// is sent.
template<typename S, typename... Arguments>
ServerRef<S> spawn(Arguments&&... arguments) {
    return ServerRef<S>(detail::spawn_process(
        current_node(), detail::blueprint_for<S>(std::forward<Arguments>(arguments)...), {}));
}
/// The same, linked to this process, which is its parent. Nothing falls between making and linking. A link does
/// nothing when the other ends normally: a process that holds something for this one monitors it, too.
template<typename S, typename... Arguments>
ServerRef<S> spawn_link(Arguments&&... arguments) {
    return ServerRef<S>(detail::spawn_process(current_node(),
                                              detail::blueprint_for<S>(std::forward<Arguments>(arguments)...),
                                              detail::spawn_options<S>({}, true)));
}
/// Runs `function` (void or Async<>) in a process of its own, which ends normally after it.
template<typename F>
    requires std::is_invocable_v<F&>
Pid spawn(F function) {
    return detail::spawn_process(current_node(),
                                 detail::blueprint_for<detail::FunctionProcess<F>>(std::move(function)), {});
}
/// The same, linked to this process.
template<typename F>
    requires std::is_invocable_v<F&>
Pid spawn_link(F function) {
    detail::SpawnOptions options;
    options.is_linked = true;
    return detail::spawn_process(current_node(),
                                 detail::blueprint_for<detail::FunctionProcess<F>>(std::move(function)),
                                 std::move(options));
}
/// The same, monitored by this process.
template<typename F>
    requires std::is_invocable_v<F&>
std::pair<Pid, MonitorRef> spawn_monitor(F function) {
    MonitorRef ref;
    detail::SpawnOptions options;
    options.monitor = &ref;
    Pid const pid = detail::spawn_process(
        current_node(), detail::blueprint_for<detail::FunctionProcess<F>>(std::move(function)),
        std::move(options));
    return {pid, ref};
}

/// Starts an S linked to this process and answers when its init() is done, with its Pid: `co_await
/// start_link<S>(...)`. An init() that fails is an Error and nothing else: no Exit message. Empty Pid: init()
/// said ignore. Errors: exists: the name is taken; timed_out: init() took longer than options.timeout;
/// unavailable: init() failed, or was ended.
template<typename S, typename... Arguments>
[[nodiscard]] Request<Pid, false> start_link(StartOptions options, Arguments&&... arguments) {
    auto blueprint = detail::blueprint_for<S>(std::forward<Arguments>(arguments)...);
    return Request<Pid, false>(detail::custom_request(
        [blueprint, options](detail::ReplyPath path) {
            detail::SpawnOptions spawn = detail::spawn_options<S>(options, true);
            spawn.on_started = std::move(path);
            detail::spawn_process(current_node(), blueprint, std::move(spawn));
        },
        detail::RequestLabel{{}, "the new process", &typeid(S)}, std::nullopt));
}

/// Asks `pid` to end with `reason` in order, and answers when it has: in a process; elsewhere it throws. Timeout: it
/// goes on ending. Errors: not_found: it was gone; timed_out; unavailable: it ended with another reason.
[[nodiscard]] Request<void> stop(Pid pid, ExitReason reason = ExitReason::normal(),
                                 Duration timeout = default_call_timeout);
/// The same from outside the scheduler; blocks.
[[nodiscard]] Result<> stop_and_wait(Pid pid, ExitReason reason = ExitReason::normal(),
                                     Duration timeout = default_call_timeout);

} // namespace sinew
