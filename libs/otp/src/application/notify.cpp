#include "application/notify.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace sinew::detail {

Result<> notify_service_manager(std::string_view state) {
    char const* const path = std::getenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (path == nullptr || *path == '\0') {
        return {};
    }
    std::string name(path);
    sockaddr_un address{};
    if (name.size() >= sizeof address.sun_path) {
        return failure(ErrorCode::invalid_argument, "NOTIFY_SOCKET is longer than a socket's name can be");
    }
    if (name.front() == '@') {
        name.front() = '\0';
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    auto const length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    FileDescriptor const socket_file(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket_file || sendto(socket_file.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                               reinterpret_cast<sockaddr const*>(&address), length) < 0) {
        return std::unexpected(error_from_errno(errno, "the service manager at NOTIFY_SOCKET can't be told " +
                                                           std::string(state)));
    }
    return {};
}

} // namespace sinew::detail
