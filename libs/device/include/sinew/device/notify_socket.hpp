/// How a program tells its supervisor that it is ready: the socket of sd_notify(3).
///
/// Threading: one owner at a time.
#pragma once

#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/result.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace sinew::device {

/// The end that listens: a datagram socket under an abstract name that the kernel chooses.
class NotifySocket {
public:
    [[nodiscard]] static Result<NotifySocket> create();
    /// Non-blocking.
    [[nodiscard]] FileDescriptor const& socket() const noexcept { return m_socket; }
    /// For the program's NOTIFY_SOCKET: "@...".
    [[nodiscard]] std::string const& name() const noexcept { return m_name; }

private:
    NotifySocket(FileDescriptor socket, std::string name)
        : m_socket(std::move(socket))
        , m_name(std::move(name)) {}
    FileDescriptor m_socket;
    std::string m_name;
};

/// Whether a datagram, lines of KEY=VALUE, holds READY=1.
[[nodiscard]] bool says_ready(std::string_view datagram) noexcept;

/// Whether it holds WATCHDOG=1: the program lives.
[[nodiscard]] bool says_alive(std::string_view datagram) noexcept;

} // namespace sinew::device
