/// A program that runs: started without a shell, signalled, waited for, and ended with its owner.
///
///     TRY(auto server, sinew::Process::start({.command = {"dropbear", "-F"}, .output = Redirect::pipe()}));
///     server.signal(SIGHUP);
///     if (auto const status = server.wait_for(10s); !status) {
///         server.end(2s); // SIGTERM; SIGKILL after two seconds
///     }
///
/// To run a program and have what it said, use run_command() of command.hpp.
///
/// Invariant: nothing of the caller gets into the program unless it is said here: no other descriptor than 0,
/// 1, 2 and those listed, no signal blocked or ignored. When a Process is destroyed, the program is gone and
/// no zombie; so is its whole group, if it has one of its own.
/// Threading: a Process belongs to one thread at a time. start() is safe in a program with threads.
/// Source: vfork(2), pidfd_open(2), setpgid(2), close_range(2).
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/exit_status.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew {

/// Where one of a program's standard streams goes or comes from.
class Redirect {
public:
    enum class Kind : std::uint8_t { null, inherited, pipe, descriptor, output };

    /// /dev/null.
    [[nodiscard]] static constexpr Redirect null() noexcept { return {Kind::null, -1}; }
    /// The caller's own.
    [[nodiscard]] static constexpr Redirect inherited() noexcept { return {Kind::inherited, -1}; }
    /// A pipe, whose other end the Process holds.
    [[nodiscard]] static constexpr Redirect pipe() noexcept { return {Kind::pipe, -1}; }
    /// `fd`, which must stay open until the program has started.
    [[nodiscard]] static constexpr Redirect to(int fd) noexcept { return {Kind::descriptor, fd}; }
    /// For error output only: where the output goes.
    [[nodiscard]] static constexpr Redirect output() noexcept { return {Kind::output, -1}; }

    [[nodiscard]] constexpr Kind kind() const noexcept { return m_kind; }
    [[nodiscard]] constexpr int descriptor() const noexcept { return m_descriptor; }

private:
    constexpr Redirect(Kind kind, int descriptor) noexcept
        : m_kind(kind)
        , m_descriptor(descriptor) {}
    Kind m_kind;
    int m_descriptor;
};

/// Whom signals and the end reach. `own`: the program and all it starts. `session`: as `own`, without a
/// terminal. `callers`: the program alone; it shares the caller's terminal and its Ctrl-C.
enum class ProcessGroup : std::uint8_t { own, session, callers };

struct ProcessOptions {
    /// The program (a path, or a name to be found in PATH) and its arguments.
    std::vector<std::string> command;
    /// Empty: the caller's.
    std::string working_directory = {};
    /// Variables, on top of the caller's own or instead of them.
    std::vector<std::pair<std::string, std::string>> environment = {};
    enum class Environment : std::uint8_t { added, whole };
    Environment environment_is = Environment::added;
    Redirect input = Redirect::null();
    Redirect output = Redirect::inherited();
    Redirect error_output = Redirect::inherited();
    /// Descriptors it gets besides: {the caller's, its number there}.
    std::vector<std::pair<int, int>> descriptors = {};
    ProcessGroup group = ProcessGroup::own;
    /// Signals that it starts with ignoring.
    std::vector<int> ignored_signals = {};
    /// Sent to it by the kernel when the thread that started it ends, however that ends; 0: none.
    int signal_at_owners_end = 0;
};

class Process {
public:
    /// Starts the program. Blocks for about a millisecond. Errors: invalid_argument: no command; not_found: no
    /// such program or folder; denied; others as execve(2).
    [[nodiscard]] static Result<Process> start(ProcessOptions const& options);
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    Process(Process const&) = delete;
    Process& operator=(Process const&) = delete;
    /// Ends the program or group by SIGKILL, and blocks until the kernel has taken the program down; not if it
    /// has ended before.
    ~Process();

    [[nodiscard]] pid_t pid() const noexcept { return m_pid; }
    /// Becomes readable (poll(2)) when the program has ended.
    [[nodiscard]] FileDescriptor const& ended() const noexcept { return m_ended; }
    /// Our ends of its pipes, non-blocking; empty unless asked for, and once closed.
    [[nodiscard]] FileDescriptor& input() noexcept { return m_input; }
    [[nodiscard]] FileDescriptor& output() noexcept { return m_output; }
    [[nodiscard]] FileDescriptor& error_output() noexcept { return m_error_output; }

    /// Writes to its input pipe what fits now, and says how much; SIGPIPE doesn't come of it. Error io: it
    /// doesn't read any more.
    [[nodiscard]] Result<std::size_t> write_some(BytesView bytes);
    /// Writes all, and blocks for as long as the program doesn't read. Errors as above.
    [[nodiscard]] Result<> write_all(BytesView bytes);

    /// Sends `number` to the group or program; to one that is gone it does nothing.
    void signal(int number) noexcept;
    /// How it ended, if it has. Never blocks.
    [[nodiscard]] std::optional<ExitStatus> status() noexcept;
    /// Blocks until it has ended, or for `limit`. Nothing: it still runs.
    [[nodiscard]] std::optional<ExitStatus> wait_for(Duration limit) noexcept;
    /// Blocks until it has ended.
    ExitStatus wait() noexcept;
    /// Asks the group or program to end (SIGTERM), and after `grace` makes it (SIGKILL). Blocks until the
    /// program has ended.
    ExitStatus end(Duration grace) noexcept;
    /// Gives it up: it lives on, and the caller reaps it.
    [[nodiscard]] pid_t release() noexcept { return std::exchange(m_pid, 0); }

private:
    Process() = default;
    void end_now() noexcept;

    pid_t m_pid = 0;
    ProcessGroup m_group = ProcessGroup::own;
    FileDescriptor m_ended;
    FileDescriptor m_input;
    FileDescriptor m_output;
    FileDescriptor m_error_output;
    std::optional<ExitStatus> m_status;
};

} // namespace sinew
