/// Implements the network's start.
///
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/network.hpp>
#include <sinew/device/os_process.hpp>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace sinew::device {

Result<> bring_up_interface(std::string const& name) {
    FileDescriptor const socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    if (name.empty() || name.size() >= IFNAMSIZ) {
        return failure(ErrorCode::invalid_argument, "'" + name + "' is no name of a network interface");
    }
    std::memcpy(request.ifr_name, name.data(), name.size());
    if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
        return std::unexpected(error_from_errno(errno, "network interface " + name));
    }
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
        return std::unexpected(error_from_errno(errno, "can't bring up network interface " + name));
    }
    return {};
}

OsProcessOptions dhcp_client(Network const& network, std::string const& hostname) {
    std::vector<std::string> command{"udhcpc", "-f", "-i", network.interface, "-s",
                                     "/usr/share/udhcpc/default.script",
                                     // Ask four times in eight seconds, then rest for five, for ever.
                                     "-t", "4", "-T", "2", "-A", "5", "-R"};
    if (!hostname.empty()) {
        command.insert(command.end(), {"-x", "hostname:" + hostname});
    }
    auto prepare = [interface = network.interface, command]() -> Result<std::vector<std::string>> {
        TRY_OK(bring_up_interface(interface));
        return command;
    };
    return {.name = "network",
            .command = command,
            .prepare = prepare,
            .stop_grace = std::chrono::seconds(1),
            .backoff = std::make_shared<Backoff>()};
}

} // namespace sinew::device
