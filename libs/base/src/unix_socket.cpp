// See unix_socket.hpp.
#include <sinew/base/may_block.hpp>
#include <sinew/base/unix_socket.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <expected>
#include <filesystem>
#include <system_error>

namespace sinew {

namespace {

constexpr int most_waiting_connections = 8;

Result<sockaddr_un> address_of(std::filesystem::path const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof(address.sun_path) || path.empty()) {
        return failure(ErrorCode::invalid_argument,
                       "'" + path.string() +
                           "' can't be a socket: its path must have 1 to 107 bytes; choose a shorter one");
    }
    path.native().copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    return address;
}

sockaddr const* generic(sockaddr_un const& address) {
    return reinterpret_cast<sockaddr const*>(&address);
}

Result<FileDescriptor> new_socket(int flags) {
    FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    if (!made) {
        return std::unexpected(error_from_errno(errno, "can't make a socket"));
    }
    return made;
}

} // namespace

Result<FileDescriptor> connect_to_unix_socket(std::filesystem::path const& path) {
    assert_may_block("connect");
    TRY(auto const address, address_of(path));
    TRY(auto connection, new_socket(0));
    if (::connect(connection.get(), generic(address), sizeof(address)) == 0) {
        return connection;
    }
    int const error = errno;
    if (error == ENOENT || error == ECONNREFUSED) {
        return std::unexpected(Error(ErrorCode::unavailable, "nobody serves " + path.string(), error));
    }
    return std::unexpected(error_from_errno(error, "can't connect to " + path.string()));
}

Result<FileDescriptor> listen_on_unix_socket(std::filesystem::path const& path) {
    TRY(auto const address, address_of(path));
    TRY(auto const probe, new_socket(SOCK_NONBLOCK));
    int const refusal = ::connect(probe.get(), generic(address), sizeof(address)) == 0 ? 0 : errno;
    if (refusal == 0 || refusal == EAGAIN) { // EAGAIN: it is served, and others wait for that
        return failure(ErrorCode::exists, "another program serves " + path.string() +
                                              " already; stop it, or choose another path");
    }
    // Any other kind of file refuses connections, too.
    std::error_code ignored;
    if (refusal == ECONNREFUSED && std::filesystem::is_socket(path, ignored)) {
        ::unlink(path.c_str());
    }
    TRY(auto listener, new_socket(SOCK_NONBLOCK));
    // Linux gives the path the socket's own mode: nobody else gets in between, and umask(2), which belongs to
    // all threads, needn't change.
    if (::fchmod(listener.get(), 0600) != 0 ||
        ::bind(listener.get(), generic(address), sizeof(address)) != 0) {
        return std::unexpected(error_from_errno(errno, "can't make the socket " + path.string()));
    }
    if (::listen(listener.get(), most_waiting_connections) != 0) {
        return std::unexpected(error_from_errno(errno, "can't listen on " + path.string()));
    }
    return listener;
}

} // namespace sinew
