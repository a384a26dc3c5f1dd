/// Implements ChildProcess with posix_spawn(3): safe in a program with threads.
///
/// Invariant: every descriptor made here is close-on-exec; the child gets exactly 0, 1 and 2.
/// Threading: see the header.
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/child_process.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

/// The C structures of one posix_spawn(3), destroyed with it.
class SpawnAttributes {
public:
    SpawnAttributes() {
        ::posix_spawnattr_init(&m_attributes);
        ::posix_spawn_file_actions_init(&m_actions);
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&m_attributes, &none);
        ::posix_spawnattr_setsigdefault(&m_attributes, &all);
        ::posix_spawnattr_setflags(&m_attributes,
                                   POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    SpawnAttributes(SpawnAttributes const&) = delete;
    SpawnAttributes& operator=(SpawnAttributes const&) = delete;
    SpawnAttributes(SpawnAttributes&&) = delete;
    SpawnAttributes& operator=(SpawnAttributes&&) = delete;
    ~SpawnAttributes() {
        ::posix_spawn_file_actions_destroy(&m_actions);
        ::posix_spawnattr_destroy(&m_attributes);
    }
    void close_input() {
        ::posix_spawn_file_actions_addopen(&m_actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    void set_outputs(int fd) {
        ::posix_spawn_file_actions_adddup2(&m_actions, fd, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&m_actions, fd, STDERR_FILENO);
    }
    [[nodiscard]] posix_spawnattr_t const* attributes() const { return &m_attributes; }
    [[nodiscard]] posix_spawn_file_actions_t const* actions() const { return &m_actions; }

private:
    posix_spawnattr_t m_attributes{};
    posix_spawn_file_actions_t m_actions{};
};

/// This process's environment with `changes` on top, as "NAME=VALUE".
std::vector<std::string> merged_environment(std::vector<std::pair<std::string, std::string>> const& changes) {
    std::vector<std::string> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::string_view const text(*entry);
        auto const name = text.substr(0, text.find('='));
        auto const is_changed = [&](auto const& change) { return change.first == name; };
        if (std::ranges::none_of(changes, is_changed)) {
            merged.emplace_back(text);
        }
    }
    for (auto const& [name, value] : changes) {
        merged.emplace_back(name).append("=").append(value);
    }
    return merged;
}

std::vector<char*> pointers_to(std::vector<std::string> const& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (auto const& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str())); // posix_spawn(3) promises not to write to them.
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// A datagram socket under an abstract name the kernel chooses, and that name as NOTIFY_SOCKET has it
/// ("@...").
Result<std::pair<FileDescriptor, std::string>> make_notify_socket() {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof address.sun_family; // Only the family: the kernel binds a free abstract name.
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (!socket || ::bind(socket.get(), generic, length) != 0) {
        return std::unexpected(error_from_errno(errno, "can't make a notification socket"));
    }
    length = sizeof address;
    if (::getsockname(socket.get(), generic, &length) != 0) {
        return std::unexpected(error_from_errno(errno, "can't name the notification socket"));
    }
    auto const name_bytes = length - offsetof(sockaddr_un, sun_path) - 1;
    return std::pair(std::move(socket), "@" + std::string(address.sun_path + 1, name_bytes));
}

Result<pid_t> spawn(ChildProcessOptions const& options,
                    std::vector<std::pair<std::string, std::string>> const& environment, int output) {
    auto const& command = options.command;
    SpawnAttributes attributes;
    if (options.input == ChildProcessOptions::Input::nothing) {
        attributes.close_input();
    }
    attributes.set_outputs(output);
    auto const merged = merged_environment(environment);
    pid_t pid = 0;
    int const error =
        ::posix_spawnp(&pid, command.front().c_str(), attributes.actions(), attributes.attributes(),
                       pointers_to(command).data(), pointers_to(merged).data());
    if (error != 0) {
        return std::unexpected(error_from_errno(error, "can't start " + command.front()));
    }
    return pid;
}

} // namespace

Result<ChildProcess> ChildProcess::start(ChildProcessOptions const& options) {
    if (options.command.empty() || options.command.front().empty()) {
        return failure(ErrorCode::invalid_argument, "no command is given");
    }
    ChildProcess child;
    auto environment = options.environment;
    if (options.has_notify_socket) {
        TRY(auto made, make_notify_socket());
        child.m_notifications = std::move(made.first);
        environment.emplace_back("NOTIFY_SOCKET", std::move(made.second));
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return std::unexpected(error_from_errno(errno, "can't make a pipe for " + options.command.front()));
    }
    child.m_output = FileDescriptor(ends[0]);
    FileDescriptor const write_end(ends[1]);
    (void)::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    TRY(child.m_pid, spawn(options, environment, write_end.get()));
    // glibc 2.36 declares pidfd_open() without extern "C".
    child.m_pidfd = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.m_pid, 0)));
    if (!child.m_pidfd) {
        return std::unexpected(error_from_errno(errno, "can't watch " + options.command.front()));
    }
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : m_pid(std::exchange(other.m_pid, 0))
    , m_pidfd(std::move(other.m_pidfd))
    , m_output(std::move(other.m_output))
    , m_notifications(std::move(other.m_notifications))
    , m_status(other.m_status) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    if (this != &other) {
        end();
        m_pid = std::exchange(other.m_pid, 0);
        m_pidfd = std::move(other.m_pidfd);
        m_output = std::move(other.m_output);
        m_notifications = std::move(other.m_notifications);
        m_status = other.m_status;
    }
    return *this;
}

ChildProcess::~ChildProcess() {
    end();
}

void ChildProcess::signal_group(int signal) const noexcept {
    if (m_pid > 0) {
        (void)::kill(-m_pid, signal);
    }
}

std::optional<int> ChildProcess::wait_status() {
    siginfo_t info{};
    auto const id = static_cast<id_t>(m_pid);
    if (m_status || m_pid <= 0 || ::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return m_status;
    }
    // In the form of waitpid(2). The child stays a zombie until end(), so that its group's number isn't given
    // away.
    int const core_dumped = info.si_code == CLD_DUMPED ? 0x80 : 0;
    m_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status | core_dumped;
    return m_status;
}

void ChildProcess::end() noexcept {
    if (m_pid <= 0) {
        return;
    }
    signal_group(SIGKILL); // Also after the child's own end: others of its group may live on.
    while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    m_pid = 0;
}

bool says_ready(std::string_view datagram) noexcept {
    while (!datagram.empty()) {
        auto const end = datagram.find('\n');
        if (datagram.substr(0, end) == "READY=1") {
            return true;
        }
        datagram.remove_prefix(end == std::string_view::npos ? datagram.size() : end + 1);
    }
    return false;
}

} // namespace sinew::device
