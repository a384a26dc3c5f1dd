/// Implements KernelDeviceEvents.
///
/// Invariant: an event is only a reason to look again; its content is thrown away, so it needs no parser.
#include "device_events.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace sinew::init {
namespace {

constexpr unsigned kernel_group = 1;

} // namespace

KernelDeviceEvents::KernelDeviceEvents()
    : m_socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = kernel_group;
    if (m_socket &&
        ::bind(m_socket.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
        m_socket.close();
    }
}

void KernelDeviceEvents::wait(Duration at_most) {
    pollfd entry{
        .fd = m_socket.get(), .events = POLLIN, .revents = 0}; // poll(2) passes over a negative descriptor.
    auto const milliseconds = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
    (void)::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(milliseconds, 0, 60'000)));
    std::array<std::byte, 4096> event{};
    while (m_socket && ::recv(m_socket.get(), event.data(), event.size(), MSG_DONTWAIT) > 0) {
    }
}

} // namespace sinew::init
