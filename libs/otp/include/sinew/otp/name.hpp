/// How to address a server: by ServerRef, by its class (name<S>), or by a text (name<S>("left")).
///
/// Invariant: each form knows the class it reaches, so that a wrong message does not compile. A name is free
/// again before anyone hears of its owner's end. Threading: values.
#pragma once

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/pid.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <string>
#include <typeinfo>
#include <utility>

namespace sinew {
namespace detail {

/// The Behaviour of a class that is complete by then (server_ops.hpp).
template<typename S>
[[nodiscard]] Behaviour const& behaviour_constant() noexcept;
template<typename S>
inline std::size_t const type_slot = allocate_type_slot(typeid(S));

} // namespace detail

/// A Pid that is known to run an S.
template<typename S>
class ServerRef {
public:
    using ServerType = S;
    constexpr ServerRef() = default;
    /// For those who know.
    constexpr explicit ServerRef(Pid pid) noexcept
        : m_pid(pid) {}
    /// Who it is; a reference can be used as its Pid.
    [[nodiscard]] constexpr Pid pid() const noexcept { return m_pid; }
    constexpr operator Pid() const noexcept { return m_pid; } // NOLINT(google-explicit-constructor)
    /// Whether it names a process.
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return static_cast<bool>(m_pid); }
    constexpr auto operator<=>(ServerRef const&) const = default;

private:
    Pid m_pid;
};

/// A server of class S, registered under a text.
template<typename S>
struct TextName {
    using ServerType = S;
    /// The name.
    std::string text;
    /// Who has it now; empty: nobody.
    [[nodiscard]] Pid resolve() const { return detail::find_by_name(detail::behaviour_constant<S>(), text); }
};

/// The server registered as the S of this node: one load to find.
template<typename S>
struct TypeName {
    using ServerType = S;
    /// Who has it now; empty: nobody.
    [[nodiscard]] Pid resolve() const { return detail::find_by_type(detail::type_slot<S>); }
    /// The S registered under `text`.
    [[nodiscard]] TextName<S> operator()(std::string text) const { return {std::move(text)}; }
};

/// Addresses the node's S, or with a text in parentheses the S of that name.
template<typename S>
inline constexpr TypeName<S> name{};

/// Something a message can be addressed to.
template<typename T>
concept Target = requires { typename T::ServerType; };

namespace detail {
template<typename S>
[[nodiscard]] constexpr Pid resolve(ServerRef<S> const& server) noexcept {
    return server.pid();
}
template<typename N>
    requires requires(N const& named) { named.resolve(); }
[[nodiscard]] Pid resolve(N const& named) {
    return named.resolve();
}
} // namespace detail

/// Who has that name now; empty when nobody does.
template<typename N>
    requires requires(N const& named) { named.resolve(); }
[[nodiscard]] ServerRef<typename N::ServerType> whereis(N const& named) {
    return ServerRef<typename N::ServerType>(named.resolve());
}

} // namespace sinew
