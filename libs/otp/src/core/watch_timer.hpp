/// WatchTimer: ticks while a worker is awake, so that the watchdog looks at its handler.
///
/// Invariant: it ticks only between arm() and disarm(); without start() it never does. Threading: start()
/// before the worker runs; the rest by the worker's thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>

#include <sys/timerfd.h>

#include <cstdint>
#include <ctime>
#include <utility>

namespace sinew::detail {

class WatchTimer {
public:
    /// `timer` is of timerfd_create(2).
    void start(FileDescriptor timer, Duration interval) noexcept {
        m_timer = std::move(timer);
        m_interval_ns = interval.count();
    }
    [[nodiscard]] int fd() const noexcept { return m_timer.get(); }
    void arm() const noexcept { set(m_interval_ns); }
    void disarm() const noexcept { set(0); }

private:
    void set(std::int64_t interval_ns) const noexcept {
        if (m_interval_ns == 0) {
            return;
        }
        constexpr std::int64_t second_ns = 1'000'000'000;
        timespec const time{.tv_sec = interval_ns / second_ns, .tv_nsec = interval_ns % second_ns};
        itimerspec const setting{.it_interval = time, .it_value = time};
        (void)timerfd_settime(m_timer.get(), 0, &setting, nullptr);
    }
    FileDescriptor m_timer;
    std::int64_t m_interval_ns = 0;
};

} // namespace sinew::detail
