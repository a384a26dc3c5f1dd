// Finding a free TCP port. See ports.hpp.
#include <sinew/base/file.hpp>
#include <sinew/tooling/ports.hpp>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace sinew::tooling {

Result<std::uint16_t> free_port() {
    FileDescriptor const socket_file(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (!socket_file || bind(socket_file.get(), generic, length) != 0 ||
        getsockname(socket_file.get(), generic, &length) != 0) {
        return std::unexpected(error_from_errno(errno, "no free port of 127.0.0.1 was found"));
    }
    return ntohs(address.sin_port);
}

Result<std::uint16_t> checked_port(std::int64_t number) {
    if (number < 1 || number > 65535) {
        return failure(ErrorCode::invalid_argument, fmt::format("{} is not a port: take 1 to 65535", number));
    }
    return static_cast<std::uint16_t>(number);
}

} // namespace sinew::tooling
