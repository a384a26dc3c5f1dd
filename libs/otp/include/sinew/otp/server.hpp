/// Server<Derived>: a process with state and typed handlers (OTP's gen_server).
///
///     struct Toggle {};
///     struct Count { using Reply = int; };
///     class Led : public sinew::Server<Led> {
///     public:
///         sinew::Result<> init() { send_after(500ms, Toggle{}); return {}; }
///         void handle_info(Toggle) { ++m_count; send_after(500ms, Toggle{}); }
///         int handle_call(Count) { return m_count; }
///     private:
///         int m_count = 0;
///     };
///
/// Handlers are public overloads, one per message type; sending a message without a handler does not compile.
///   init()              void, Result<>, Result<Start>, or Async of these; optional. An error is a failed
///                       start
///   handle_call(R)      returns R::Reply, or Async<R::Reply>; or handle_call(R, Deferred<R>) to answer later
///   handle_cast(M)      for cast(); void or Async<>
///   handle_info(M)      for send(), timers, Exit, Down, FileReady; void or Async<>
///   terminate(reason)   void or Async<>; optional. Called when a handler stops or throws, and on the
///                       parent's exit while trapping exits; not on kill, nor on an exit signal that is not
///                       trapped
/// An exception that leaves a handler ends the process with an error reason.
/// Threading: everything runs in the process, one handler at a time.
#pragma once

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/name.hpp>
#include <sinew/otp/process.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sinew {

template<typename Request>
concept IsRequest = requires { typename Request::Reply; };

/// The right to answer one call later, from any process or thread. Destroying it unanswered fails the call.
template<IsRequest R>
class Deferred {
    struct Nothing {};

public:
    using Reply = typename R::Reply;
    /// For the runtime.
    explicit Deferred(detail::ReplyPath path) noexcept
        : m_path(std::move(path)) {}
    /// Answers; a second answer does nothing.
    void reply(std::conditional_t<std::is_void_v<Reply>, Nothing, Reply> value)
        requires(!std::is_void_v<Reply>)
    {
        if (m_path) {
            m_path.answer(detail::make_reply<Reply>(m_path, std::move(value)));
        }
    }
    /// The same where the answer is nothing.
    void reply()
        requires std::is_void_v<Reply>
    {
        if (m_path) {
            m_path.answer(detail::make_reply<void>(m_path));
        }
    }
    /// Whether the right is used up.
    [[nodiscard]] bool is_answered() const noexcept { return !m_path; }
    /// For behaviours: the answer of the handler itself, which waits for terminate() if that asked to stop.
    void answer_from_handler(auto&&... value) {
        if (m_path) {
            m_path.answer_from_handler(
                detail::make_reply<Reply>(m_path, std::forward<decltype(value)>(value)...));
        }
    }

private:
    detail::ReplyPath m_path;
};

namespace detail {
/// The messages a Conversation takes, as S::Takes.
template<typename... Messages>
struct MessageList {};
template<typename M, typename... Messages>
inline constexpr bool is_one_of = (std::is_same_v<M, Messages> || ...);
template<typename M, typename List>
inline constexpr bool is_in_list = false;
template<typename M, typename... Messages>
inline constexpr bool is_in_list<M, MessageList<Messages...>> = is_one_of<M, Messages...>;
template<typename S, typename M>
concept Takes = requires {
    typename S::Takes;
    requires is_in_list<M, typename S::Takes>;
};
template<typename S, typename M>
concept HasInfoHandler = requires(S& server, M message) { server.handle_info(std::move(message)); };
} // namespace detail

template<IsRequest R>
struct Asked;

/// "S has a handle_... for M, or receives it". What the compiler names when a message does not fit.
template<typename S, typename M>
concept HandlesCast = requires(S& server, M message) { server.handle_cast(std::move(message)); };
template<typename S, typename M>
concept HandlesInfo = detail::HasInfoHandler<S, M> || detail::Takes<S, M>;
template<typename S, typename R>
concept HandlesCallNow = requires(S& server, R request) { server.handle_call(std::move(request)); };
template<typename S, typename R>
concept HandlesCallLater = requires(S& server, R request, Deferred<R> reply) {
    server.handle_call(std::move(request), std::move(reply));
};
template<typename S, typename R>
concept ReceivesCall = IsRequest<R> && detail::Takes<S, Asked<R>>;
template<typename S, typename R>
concept HandlesCall = IsRequest<R> && (HandlesCallNow<S, R> || HandlesCallLater<S, R> || ReceivesCall<S, R>);

} // namespace sinew

#include <sinew/otp/detail/server_ops.hpp>

namespace sinew {

namespace detail {

/// A name of any kind.
class Name {
public:
    Name() = default;
    Name(Name const&) = delete;
    Name& operator=(Name const&) = delete;
    Name(Name&&) = delete;
    Name& operator=(Name&&) = delete;
    virtual ~Name() = default;
    /// Who has it in that node; empty: nobody.
    [[nodiscard]] Pid resolve(Node& node) const;

private:
    [[nodiscard]] virtual Pid resolve_here() const = 0;
};

template<typename N>
class NameOf final : public Name {
public:
    explicit NameOf(N named)
        : m_named(std::move(named)) {}

private:
    [[nodiscard]] Pid resolve_here() const override { return m_named.resolve(); }
    N m_named;
};

} // namespace detail

/// Anything that takes an M as a handle_info() message: what a library asks for instead of a concrete server.
/// Made from a ServerRef of a server with that handler, or from its name (name<S>, name<S>("left"),
/// registry.via<S>(key)): then whoever has the name at that moment gets the message. Copyable; usable on any
/// thread while the node lives.
template<typename M>
class Recipient {
public:
    Recipient() = default;
    /// A name of a server with that handler.
    template<typename N>
        requires requires(N const& named) { named.resolve(); } && HandlesInfo<typename N::ServerType, M>
    Recipient(N named) // NOLINT(google-explicit-constructor): a view of the same process
        : m_node(&current_node())
        , m_ops(&detail::info_ops<typename N::ServerType, M>)
        , m_name(std::make_shared<detail::NameOf<N> const>(std::move(named))) {}
    /// A server with that handler.
    template<HandlesInfo<M> S>
    Recipient(ServerRef<S> const& server) // NOLINT(google-explicit-constructor): a view of the same process
        : m_node(&current_node())
        , m_pid(server.pid())
        , m_ops(&detail::info_ops<S, M>) {}
    /// For inbox().
    Recipient(Pid pid, detail::MessageOps const& ops)
        : m_node(&current_node())
        , m_pid(pid)
        , m_ops(&ops) {}
    /// Who it is; of a name: who has it now, empty when nobody does.
    [[nodiscard]] Pid pid() const { return m_name != nullptr ? m_name->resolve(*m_node) : m_pid; }
    [[nodiscard]] explicit operator bool() const noexcept { return m_ops != nullptr; }
    /// Never blocks; a process that is gone, or a name that nobody has, is no error.
    void send(M message) const {
        if (Pid const to = pid(); m_ops != nullptr && to) {
            detail::deliver(*m_node, to, detail::make_envelope<M>(*m_ops, std::move(message)));
        }
    }

private:
    Node* m_node = nullptr;
    Pid m_pid;
    detail::MessageOps const* m_ops = nullptr;
    std::shared_ptr<detail::Name const> m_name;
};

/// A process; see the top of the file.
template<typename Derived>
class Server {
public:
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;

    /// This process, to be handed to others.
    [[nodiscard]] ServerRef<Derived> self() const noexcept { return ServerRef<Derived>(m_pid); }

protected:
    Server()
        : m_pid(sinew::self()) {}
    ~Server() = default;

    /// Ends this process after the running handler: terminate(reason) runs, then the answer of a call is
    /// sent.
    void stop(ExitReason reason = ExitReason::normal()) { detail::stop_self(std::move(reason)); }

    /// Sends `message` to this process's handle_info() after `delay`; never early. Zero is allowed.
    template<typename M>
    Timer send_after(Duration delay, M message) {
        check_message<M>();
        Timer timer;
        if constexpr (is_handled<M>) {
            timer.sequence = detail::send_later(
                delay, detail::make_envelope<M>(detail::info_ops<Derived, M>, std::move(message)),
                &timer.node);
        }
        return timer;
    }
    /// Sends a copy of `message` to this process's handle_info() every `interval`, first after one, until
    /// cancel(): in step with the first, however long the handlers take. One that is due while the one before
    /// still waits in the mailbox is left out. Throws std::invalid_argument unless `interval` is positive.
    template<typename M>
    Timer send_interval(Duration interval, M message) {
        constexpr bool is_handled_here = detail::HasInfoHandler<Derived, M>;
        constexpr bool is_copyable = std::is_copy_constructible_v<M>;
        static_assert(is_copyable, "send_interval() sends copies of its message: it must be copyable");
        static_assert(!is_copyable || is_handled_here,
                      "this server has no public handle_info() for that message");
        Timer timer;
        if constexpr (is_handled_here && is_copyable) {
            timer.sequence = detail::send_every(interval, detail::tick_ops<Derived, M>,
                                                std::make_shared<M const>(std::move(message)), &timer.node);
        }
        return timer;
    }

    /// Handles `message` (handle_info) before anything that is in the mailbox: init()'s way to go on after
    /// the start was reported.
    template<typename M>
    void continue_with(M message) {
        check_message<M>();
        if constexpr (is_handled<M>) {
            detail::send_first(detail::make_envelope<M>(detail::info_ops<Derived, M>, std::move(message)));
        }
    }

    /// Sends this process an IdleTimeout (handle_info) when it handles no other message for `time` after this
    /// handler; any message cancels it. Zero: at once, if nothing waits in the mailbox.
    void set_idle_timeout(Duration time) {
        static_assert(HandlesInfo<Derived, IdleTimeout>,
                      "this server has no public handle_info() for IdleTimeout");
        detail::arm_idle_timeout(time, detail::make_envelope<detail::IdleMark>(detail::idle_ops<Derived>));
    }

private:
    template<typename M>
    static constexpr bool is_handled = detail::is_message<M> && HandlesInfo<Derived, M>;
    template<typename M>
    static consteval void check_message() {
        static_assert(detail::is_message<M>, "a message must be movable: it is moved to its process");
        static_assert(!detail::is_message<M> || HandlesInfo<Derived, M>,
                      "this server has no public handle_info() for that message");
    }
    Pid m_pid;
};

} // namespace sinew
