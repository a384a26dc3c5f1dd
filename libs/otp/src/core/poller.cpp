#include "core/poller.hpp"

#include <sinew/base/file.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <system_error>

namespace sinew::detail {

Poller::Poller()
    : m_epoll(epoll_create1(EPOLL_CLOEXEC))
    , m_wake_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
    if (!m_epoll || !m_wake_event ||
        epoll_ctl(m_epoll.get(), EPOLL_CTL_ADD, m_wake_event.get(), &event) != 0) {
        throw std::system_error(errno, std::system_category(), "a worker's epoll can't be made");
    }
}

void Poller::wake() noexcept {
    std::uint64_t const one = 1;
    (void)!write(m_wake_event.get(), &one, sizeof one);
}

std::span<epoll_event const> Poller::wait(std::span<epoll_event> into, timespec const* limit) noexcept {
    int const count = epoll_pwait2(m_epoll.get(), into.data(), static_cast<int>(into.size()), limit, nullptr);
    return into.first(static_cast<std::size_t>(std::max(count, 0)));
}

void Poller::clear_wake() noexcept {
    std::uint64_t value = 0;
    (void)!read(m_wake_event.get(), &value, sizeof value);
}

} // namespace sinew::detail
