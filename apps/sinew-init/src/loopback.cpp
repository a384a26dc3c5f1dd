/// Implements bring_up_loopback() with the interface ioctls; the kernel adds 127.0.0.1 and ::1 by itself.
#include "loopback.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sinew::init {

Result<> bring_up_loopback() {
    FileDescriptor const socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
        return std::unexpected(error_from_errno(errno, "can't reach the loopback interface"));
    }
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
        return std::unexpected(error_from_errno(errno, "can't bring up the loopback interface"));
    }
    return {};
}

} // namespace sinew::init
