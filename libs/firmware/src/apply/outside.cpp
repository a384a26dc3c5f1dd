/// Files, commands and UBI volumes as targets of a resource. See the header for threading.
#include "apply/outside.hpp"

#include "apply/resource_pieces.hpp"
#include "archive/resource_stream.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <mtd/ubi-user.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t piece_bytes = 128u << 10;

/// A reader that goes away is an error of write(2) while this is in scope, not the end of this process.
class BrokenPipeAsError {
public:
    BrokenPipeAsError() {
        sigemptyset(&m_pipe_only);
        sigaddset(&m_pipe_only, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &m_pipe_only, &m_before);
    }
    BrokenPipeAsError(BrokenPipeAsError const&) = delete;
    BrokenPipeAsError& operator=(BrokenPipeAsError const&) = delete;
    ~BrokenPipeAsError() {
        timespec const at_once{};
        if (sigismember(&m_before, SIGPIPE) == 0) {
            (void)::sigtimedwait(&m_pipe_only, nullptr, &at_once);
        }
        pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
    }

private:
    sigset_t m_pipe_only{};
    sigset_t m_before{};
};

/// A command of the shell. Its standard input is what is written to input(), or empty.
class ShellCommand {
public:
    enum class Input : std::uint8_t { none, piped };

    static Result<ShellCommand> start(std::string const& command, Input input) {
        ShellCommand started(command);
        FileDescriptor child_input;
        if (input == Input::piped) {
            std::array<int, 2> ends{};
            if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
                return std::unexpected(error_from_errno(errno, "cannot make a pipe"));
            }
            child_input = FileDescriptor(ends[0]);
            started.m_input = FileDescriptor(ends[1]);
        } else {
            TRY(child_input, open_file("/dev/null", O_RDONLY));
        }
        TRY_OK(started.spawn(child_input));
        return started;
    }

    [[nodiscard]] FileDescriptor const& input() const { return m_input; }

    /// Ends its input, waits, and turns a status other than 0 into an error.
    Result<> finish() {
        m_input.close();
        int status = 0;
        while (::waitpid(m_child, &status, 0) < 0) {
            if (errno != EINTR) {
                return std::unexpected(error_from_errno(errno, "cannot wait for '" + m_command + "'"));
            }
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            return {};
        }
        auto const how = WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                                             : "ended with status " + std::to_string(WEXITSTATUS(status));
        return failure(ErrorCode::io, "'" + m_command.substr(0, 120) + "' " + how + "; see what it printed");
    }

private:
    explicit ShellCommand(std::string command)
        : m_command(std::move(command)) {}

    Result<> spawn(FileDescriptor const& child_input) {
        posix_spawn_file_actions_t actions{};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, child_input.get(), STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
        posix_spawnattr_t attributes{};
        posix_spawnattr_init(&attributes);
        sigset_t defaults{};
        sigemptyset(&defaults);
        posix_spawnattr_setsigmask(&attributes, &defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        std::string shell = "sh";
        std::string option = "-c";
        std::array<char*, 4> words{shell.data(), option.data(), m_command.data(), nullptr};
        int const error = ::posix_spawn(&m_child, "/bin/sh", &actions, &attributes, words.data(), environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        if (error != 0) {
            return std::unexpected(error_from_errno(error, "cannot start /bin/sh"));
        }
        return {};
    }

    std::string m_command;
    pid_t m_child = -1;
    FileDescriptor m_input;
};

Result<> write_sequentially(FileDescriptor const& file, ResourceStream& resource,
                            OnPayload const& on_payload) {
    Bytes buffer(piece_bytes);
    auto const write = [&](BytesView bytes) -> Result<> {
        on_payload(bytes.size());
        return write_all(file, bytes);
    };
    return for_each_piece(resource, buffer, write,
                          zeros_to([&](BytesView zeros) { return write_all(file, zeros); }));
}

/// Holes stay holes. Returns the length.
Result<std::uint64_t> write_with_holes(FileDescriptor const& file, ResourceStream& resource,
                                       OnPayload const& on_payload) {
    Bytes buffer(piece_bytes);
    std::uint64_t at = 0;
    auto const write = [&](BytesView bytes) -> Result<> {
        on_payload(bytes.size());
        TRY_OK(write_all_at(file, bytes, at));
        at += bytes.size();
        return {};
    };
    auto const skip = [&](std::uint64_t length) -> Result<> {
        at += length;
        return {};
    };
    TRY_OK(for_each_piece(resource, buffer, write, skip));
    return at;
}

Result<> write_regular_file(FileDescriptor const& file, ResourceStream& resource,
                            OnPayload const& on_payload) {
    TRY(auto const length, write_with_holes(file, resource, on_payload));
    if (::ftruncate(file.get(), static_cast<off_t>(length)) != 0) {
        return std::unexpected(error_from_errno(errno, "cannot give it its size"));
    }
    return sync_file(file);
}

} // namespace

Result<> write_to_path(std::filesystem::path const& path, ResourceStream& resource,
                       OnPayload const& on_payload) {
    TRY(auto const file, open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
    struct stat status{};
    bool const is_regular = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
    auto done = is_regular ? write_regular_file(file, resource, on_payload)
                           : write_sequentially(file, resource, on_payload);
    return done ? std::move(done) : std::unexpected(std::move(done).error().with_context(path.string()));
}

Result<> write_to_command(std::string const& command, ResourceStream& resource, OnPayload const& on_payload) {
    TRY(auto running, ShellCommand::start(command, ShellCommand::Input::piped));
    Result<> written;
    {
        BrokenPipeAsError const guard;
        written = write_sequentially(running.input(), resource, on_payload);
    }
    auto finished = running.finish();
    if (written || !finished) {
        return finished;
    }
    return std::unexpected(std::move(written).error().with_context("'" + command.substr(0, 120) + "'"));
}

Result<> write_to_ubi_volume(std::filesystem::path const& volume, ResourceStream& resource,
                             OnPayload const& on_payload) {
    TRY(auto const file, open_file(volume, O_RDWR));
    auto const size = static_cast<std::int64_t>(resource.spec().size_bytes());
    if (::ioctl(file.get(), UBI_IOCVOLUP, &size) != 0) {
        return std::unexpected(
            error_from_errno(errno, volume.string() + ": cannot begin to update the UBI volume"));
    }
    if (auto done = write_sequentially(file, resource, on_payload); !done) {
        return std::unexpected(std::move(done).error().with_context(volume.string()));
    }
    return {};
}

Result<> execute(std::string const& command) {
    TRY(auto running, ShellCommand::start(command, ShellCommand::Input::none));
    return running.finish();
}

} // namespace sinew::firmware
