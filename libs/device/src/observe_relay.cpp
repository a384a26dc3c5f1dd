/// Implements <sinew/device/observe_relay.hpp>.
///
#include <sinew/base/file.hpp>
#include <sinew/base/unix_socket.hpp>
#include <sinew/device/observe_relay.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/observe_socket.hpp>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>

namespace sinew::device {
namespace {

/// Copies what is there; false: `from` has ended.
Result<bool> copy(int from, int to) {
    std::array<char, 16384> bytes{};
    ssize_t const count = ::read(from, bytes.data(), bytes.size());
    if (count < 0) {
        return errno == EINTR ? Result<bool>(true) : std::unexpected(error_from_errno(errno, "read"));
    }
    for (ssize_t done = 0; done < count;) {
        ssize_t const written = ::write(to, bytes.data() + done, static_cast<std::size_t>(count - done));
        if (written < 0 && errno != EINTR) {
            return std::unexpected(error_from_errno(errno, "write"));
        }
        done += written > 0 ? written : 0;
    }
    return count > 0;
}

} // namespace

Result<> relay(int input, int output, std::filesystem::path const& path) {
    TRY(auto const socket, connect_to_unix_socket(path));
    std::array<pollfd, 2> files{pollfd{.fd = input, .events = POLLIN, .revents = 0},
                                pollfd{.fd = socket.get(), .events = POLLIN, .revents = 0}};
    for (;;) {
        if (::poll(files.data(), files.size(), -1) < 0 && errno != EINTR) {
            return std::unexpected(error_from_errno(errno, "poll"));
        }
        for (pollfd const& file : files) {
            if (file.revents != 0) {
                bool const is_input = file.fd == input;
                TRY(bool const goes_on, copy(file.fd, is_input ? socket.get() : output));
                if (!goes_on) {
                    return {};
                }
            }
        }
    }
}

Result<> relay_observer(std::string const& application) {
    if (application.starts_with('/')) {
        return relay(STDIN_FILENO, STDOUT_FILENO, application);
    }
    TRY(auto const path, observe::find_socket(observe::socket_folder(), application));
    return relay(STDIN_FILENO, STDOUT_FILENO, path);
}

} // namespace sinew::device
