/// An operating system process that ends when its owner does.
///
/// Invariant: it leads a session and a process group of its own; when a ChildProcess is destroyed, the whole
/// group is gone and nobody is left a zombie. Threading: one owner at a time; may move between threads.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::device {

struct ChildProcessOptions {
    /// The program (a path, or a name to be found in PATH) and its arguments.
    std::vector<std::string> command;
    /// Set on top of this process's own environment.
    std::vector<std::pair<std::string, std::string>> environment = {};
    /// Makes a notification socket and names it to the child in NOTIFY_SOCKET (sd_notify(3)).
    bool has_notify_socket = false;
    /// Where its standard input comes from.
    enum class Input : std::uint8_t { nothing, inherited };
    Input input = Input::nothing;
};

class ChildProcess {
public:
    /// Starts the program: all signals at their defaults, output and error output into
    /// output(). Blocks for about a millisecond. Errors: not_found: no such program; invalid_argument: no
    /// command.
    [[nodiscard]] static Result<ChildProcess> start(ChildProcessOptions const& options);
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&& other) noexcept;
    ChildProcess(ChildProcess const&) = delete;
    ChildProcess& operator=(ChildProcess const&) = delete;
    /// Kills the group (SIGKILL) and waits for the child: that takes no time worth mentioning.
    ~ChildProcess();

    [[nodiscard]] pid_t pid() const noexcept { return m_pid; }
    /// Readable (poll) once the child has ended.
    [[nodiscard]] FileDescriptor const& ended() const noexcept { return m_pidfd; }
    /// Both outputs, in the order of writing; non-blocking.
    [[nodiscard]] FileDescriptor const& output() const noexcept { return m_output; }
    /// The notification socket, non-blocking; empty unless asked for.
    [[nodiscard]] FileDescriptor const& notifications() const noexcept { return m_notifications; }

    /// Sends `signal` to the whole group; to a group that is gone it does nothing.
    void signal_group(int signal) const noexcept;
    /// What waitpid(2) would write, if the child has ended. It stays a zombie until this object ends.
    [[nodiscard]] std::optional<int> wait_status();

private:
    ChildProcess() = default;
    void end() noexcept;
    pid_t m_pid = 0;
    FileDescriptor m_pidfd;
    FileDescriptor m_output;
    FileDescriptor m_notifications;
    std::optional<int> m_status;
};

/// Whether an sd_notify datagram, lines of KEY=VALUE, holds READY=1.
[[nodiscard]] bool says_ready(std::string_view datagram) noexcept;

} // namespace sinew::device
