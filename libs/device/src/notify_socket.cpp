/// Implements NotifySocket.
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/notify_socket.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::device {

Result<NotifySocket> NotifySocket::create() {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof address.sun_family; // Only the family: the kernel binds a free abstract name.
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (!socket || ::bind(socket.get(), generic, length) != 0) {
        return std::unexpected(error_from_errno(errno, "can't make a notification socket"));
    }
    length = sizeof address;
    if (::getsockname(socket.get(), generic, &length) != 0) {
        return std::unexpected(error_from_errno(errno, "can't name the notification socket"));
    }
    auto const name_bytes = length - offsetof(sockaddr_un, sun_path) - 1;
    return NotifySocket(std::move(socket), "@" + std::string(address.sun_path + 1, name_bytes));
}

namespace {

bool holds_line(std::string_view datagram, std::string_view wanted) noexcept {
    while (!datagram.empty()) {
        auto const end = datagram.find('\n');
        if (datagram.substr(0, end) == wanted) {
            return true;
        }
        datagram.remove_prefix(end == std::string_view::npos ? datagram.size() : end + 1);
    }
    return false;
}

} // namespace

bool says_ready(std::string_view datagram) noexcept {
    return holds_line(datagram, "READY=1");
}

bool says_alive(std::string_view datagram) noexcept {
    return holds_line(datagram, "WATCHDOG=1");
}

} // namespace sinew::device
