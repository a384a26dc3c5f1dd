/// The kernel's watchdog device: once open, the machine resets unless pet() is called within the timeout.
///
/// Invariant: closing never stops the watchdog; only disarm() does. It is opened by PID 1 and handed on to
/// sinewd as an inherited descriptor (SINEW_WATCHDOG_FD), because the device can be opened only once.
/// Threading: one thread at a time. pet() doesn't block.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <chrono>
#include <filesystem>

namespace sinew::device {

/// Names the inherited descriptor in the environment.
inline constexpr char const* watchdog_environment = "SINEW_WATCHDOG_FD";

/// Names the event counter (eventfd(2)) that PID 1 counts up every `beat_interval` for as long as it lives.
inline constexpr char const* beat_environment = "SINEW_INIT_BEAT_FD";
inline constexpr std::chrono::seconds beat_interval{5};

class HardwareWatchdog {
public:
    /// Opens `path`, which arms it, and asks for `timeout` (rounded up to whole seconds, 1 s to 1 h). A
    /// driver may round or refuse: timeout() is what it uses. Errors: not_found, unavailable (already open).
    [[nodiscard]] static Result<HardwareWatchdog> open(std::filesystem::path const& path,
                                                       std::chrono::milliseconds timeout);

    /// Takes over an open descriptor. Error invalid_argument: `fd` is no watchdog.
    [[nodiscard]] static Result<HardwareWatchdog> adopt(FileDescriptor fd);

    /// Restarts the countdown.
    [[nodiscard]] Result<> pet();

    /// Stops it, where the driver allows that. Error unsupported: it goes on and will reset the machine.
    [[nodiscard]] Result<> disarm();

    /// True when the driver says that the watchdog caused the last reset. Few drivers know.
    [[nodiscard]] bool caused_last_reset() const;

    /// The time from the last pet() to the reset.
    [[nodiscard]] std::chrono::seconds timeout() const noexcept { return m_timeout; }
    [[nodiscard]] FileDescriptor const& descriptor() const noexcept { return m_fd; }

private:
    HardwareWatchdog(FileDescriptor fd, std::chrono::seconds timeout)
        : m_fd(std::move(fd))
        , m_timeout(timeout) {}
    FileDescriptor m_fd;
    std::chrono::seconds m_timeout;
};

} // namespace sinew::device
