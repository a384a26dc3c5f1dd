/// Conversation<Derived, Messages...>: a process that is one coroutine, for what goes in steps: a handshake,
/// a pairing, a protocol.
///
///     struct Hello { std::string name; };
///     struct Confirm {};
///     struct Progress { using Reply = std::string; };
///     class Pairing : public sinew::Conversation<Pairing, Hello, Confirm, sinew::Asked<Progress>> {
///     public:
///         sinew::Async<> run() {
///             auto const hello = co_await receive<Hello>(30s);
///             if (!hello) {
///                 co_return;                                        // ends normally
///             }
///             auto const confirmed = co_await receive<Confirm>(10s);
///             ...
///         }
///     };
///
/// Messages are what it takes: by send(), timers, or, as Asked<R>, by call(). run() is called when the start
/// is done; when it returns, the process ends normally; an exception ends it with an error. An init(), as a
/// Server has it, runs before. When the process is stopped, run() is ended where it waits: its local objects
/// are destroyed, then terminate(reason) runs.
/// Threading: as a Server's.
#pragma once

#include <sinew/otp/receive.hpp>

#include <type_traits>

namespace sinew {

/// See the top of the file.
template<typename Derived, typename... Messages>
class Conversation : public Server<Derived> {
public:
    /// For the compiler.
    using Takes = detail::MessageList<Messages...>;

protected:
    Conversation() = default;
    ~Conversation() = default;

    /// The same as sinew::receive(), of messages that can come.
    template<typename... Ms>
    [[nodiscard]] static Receive<Ms...> receive(Duration timeout = Duration::max()) {
        static_assert(
            ((detail::is_one_of<Ms, Messages...> || detail::is_one_of<Ms, Exit, Down, FileReady>) && ...),
            "this conversation does not take that message: add it to Conversation<..., Messages...>");
        return Receive<Ms...>(timeout);
    }

private:
    using Server<Derived>::continue_with;
    using Server<Derived>::set_idle_timeout;
};

} // namespace sinew
