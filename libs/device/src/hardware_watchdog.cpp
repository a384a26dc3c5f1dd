/// Implements HardwareWatchdog with the ioctls of linux/watchdog.h.
///
/// Invariant: nothing here writes the magic character 'V' except disarm().
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/hardware_watchdog.hpp>

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>

namespace sinew::device {
namespace {

// The largest time without a pet() that is still useful for a device nobody watches.
constexpr std::chrono::seconds max_timeout = std::chrono::hours(1);

// What a driver that can't tell its timeout is assumed to use; the shortest common one, so that petting is
// early.
constexpr std::chrono::seconds assumed_timeout{10};

std::chrono::seconds current_timeout(FileDescriptor const& fd) {
    int seconds = 0;
    if (::ioctl(fd.get(), WDIOC_GETTIMEOUT, &seconds) != 0 || seconds < 1) {
        return assumed_timeout;
    }
    return std::chrono::seconds(seconds);
}

} // namespace

Result<HardwareWatchdog> HardwareWatchdog::open(std::filesystem::path const& path,
                                                std::chrono::milliseconds timeout) {
    TRY(auto fd, open_file(path, O_WRONLY));
    auto const wanted =
        std::clamp(std::chrono::ceil<std::chrono::seconds>(timeout), std::chrono::seconds(1), max_timeout);
    int seconds = static_cast<int>(wanted.count());
    (void)::ioctl(fd.get(), WDIOC_SETTIMEOUT,
                  &seconds); // A fixed timeout is no failure: timeout() tells which.
    return adopt(std::move(fd));
}

Result<HardwareWatchdog> HardwareWatchdog::adopt(FileDescriptor fd) {
    watchdog_info info{};
    if (::ioctl(fd.get(), WDIOC_GETSUPPORT, &info) != 0) {
        return std::unexpected(error_from_errno(errno, "the descriptor handed over is no watchdog"));
    }
    auto const timeout = current_timeout(fd);
    HardwareWatchdog watchdog(std::move(fd), timeout);
    TRY_OK(watchdog.pet());
    return watchdog;
}

Result<> HardwareWatchdog::pet() {
    if (::ioctl(m_fd.get(), WDIOC_KEEPALIVE, 0) != 0) {
        return write_all(m_fd, as_bytes("\n")); // Drivers without the ioctl take any byte but 'V'.
    }
    return {};
}

Result<> HardwareWatchdog::disarm() {
    int options = WDIOS_DISABLECARD;
    if (::ioctl(m_fd.get(), WDIOC_SETOPTIONS, &options) == 0) {
        return {};
    }
    watchdog_info info{};
    if (::ioctl(m_fd.get(), WDIOC_GETSUPPORT, &info) != 0 || (info.options & WDIOF_MAGICCLOSE) == 0) {
        return failure(ErrorCode::unsupported, "this watchdog can't be stopped; it will reset the machine");
    }
    TRY_OK(write_all(m_fd, as_bytes("V")));
    m_fd.close();
    return {};
}

bool HardwareWatchdog::caused_last_reset() const {
    int status = 0;
    return ::ioctl(m_fd.get(), WDIOC_GETBOOTSTATUS, &status) == 0 && (status & WDIOF_CARDRESET) != 0;
}

} // namespace sinew::device
