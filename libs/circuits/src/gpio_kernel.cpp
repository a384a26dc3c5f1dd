// See gpio_kernel.hpp.
#include "gpio_kernel.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/text.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::circuits {

namespace {

/// The N of "gpiochipN".
std::optional<std::uint32_t> chip_number(std::string_view name) {
    constexpr std::string_view prefix = "gpiochip";
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    return parse_number<std::uint32_t>(name.substr(prefix.size()));
}

/// While it lives, no signal interrupts its thread. A chip behind USB or uhid (cp2112) answers a transfer
/// that was interrupted with EIO, not EINTR; and the runtime signals threads whose handlers take long.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &m_before);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    SignalsBlocked(SignalsBlocked const&) = delete;
    SignalsBlocked& operator=(SignalsBlocked const&) = delete;
    SignalsBlocked(SignalsBlocked&&) = delete;
    SignalsBlocked& operator=(SignalsBlocked&&) = delete;

private:
    sigset_t m_before{};
};

} // namespace

std::vector<std::string> SystemGpioKernel::chip_names() {
    std::vector<std::pair<std::uint32_t, std::string>> found;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(m_folder, error), end; !error && entry != end;
         entry.increment(error)) {
        std::string name = entry->path().filename();
        if (auto const number = chip_number(name)) {
            found.emplace_back(*number, std::move(name));
        }
    }
    std::ranges::sort(found);
    std::vector<std::string> names;
    names.reserve(found.size());
    for (auto& [number, name] : found) {
        names.push_back(std::move(name));
    }
    return names;
}

std::expected<FileDescriptor, int> SystemGpioKernel::open_chip(std::string const& name) {
    // Not open_file(): the errno decides whether the chip is listed, and no sentence is made of it yet.
    FileDescriptor chip(::open((m_folder / name).c_str(), O_RDWR | O_CLOEXEC));
    if (!chip) {
        return std::unexpected(errno);
    }
    return chip;
}

int SystemGpioKernel::control(int descriptor, unsigned long request, void* argument) {
    SignalsBlocked const quiet;
    return ::ioctl(descriptor, request, argument) < 0 ? errno : 0;
}

std::expected<std::size_t, int> SystemGpioKernel::read(int descriptor, MutableBytesView into) {
    while (true) {
        ssize_t const count = ::read(descriptor, into.data(), into.size());
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR) {
            return std::unexpected(errno);
        }
    }
}

} // namespace sinew::circuits
