// A program with a file streamed into it. See feed_command.hpp.
#include <sinew/base/file.hpp>
#include <sinew/tooling/feed_command.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace sinew::tooling {

namespace {

constexpr std::size_t chunk_bytes = 64u << 10;
constexpr std::size_t longest_output = 1u << 20;

struct Pipe {
    FileDescriptor read_end;
    FileDescriptor write_end;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return std::unexpected(error_from_errno(errno, "no pipe can be made"));
    }
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

struct Child {
    pid_t pid = 0;
    FileDescriptor input;
    FileDescriptor output;
    FileDescriptor error_output;
};

Result<Child> start(std::vector<std::string> const& arguments) {
    TRY(auto input, make_pipe());
    TRY(auto output, make_pipe());
    TRY(auto errors, make_pipe());
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.read_end.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output.write_end.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors.write_end.get(), STDERR_FILENO);
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    // SIGPIPE is ignored here, but not by the program.
    sigset_t defaults{};
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (std::string const& word : arguments) {
        words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    Child child;
    int const problem = posix_spawnp(&child.pid, words[0], &actions, &attributes, words.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (problem != 0) {
        return std::unexpected(error_from_errno(problem, fmt::format("{} can't be started", arguments[0])));
    }
    fcntl(input.write_end.get(), F_SETFL, O_NONBLOCK);
    child.input = std::move(input.write_end);
    child.output = std::move(output.read_end);
    child.error_output = std::move(errors.read_end);
    return child;
}

/// Reads what there is; closes at the end.
void drain(FileDescriptor& from, std::string& into) {
    std::array<char, 4096> buffer{};
    ssize_t const count = read(from.get(), buffer.data(), buffer.size());
    if (count <= 0 && errno != EINTR) {
        from.close();
    } else if (count > 0 && into.size() < longest_output) {
        into.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

/// Sends a file piece by piece.
class Feeder {
public:
    Feeder(FileDescriptor file, std::uint64_t size_bytes)
        : m_file(std::move(file))
        , m_size_bytes(size_bytes) {}

    /// Sends what fits; closes the pipe when all is sent or the program doesn't want more.
    Result<> feed(FileDescriptor& pipe) {
        if (m_at == m_end) {
            TRY(m_end, read_some(m_file, MutableBytesView(m_buffer)));
            m_at = 0;
            if (m_end == 0) {
                pipe.close();
                return {};
            }
        }
        ssize_t const count = write(pipe.get(), m_buffer.data() + m_at, m_end - m_at);
        if (count >= 0) {
            m_at += static_cast<std::size_t>(count);
            m_sent += static_cast<std::uint64_t>(count);
        } else if (errno != EAGAIN && errno != EINTR) {
            pipe.close();
        }
        return {};
    }
    [[nodiscard]] std::uint64_t sent() const noexcept { return m_sent; }
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return m_size_bytes; }

private:
    FileDescriptor m_file;
    std::uint64_t m_size_bytes;
    Bytes m_buffer = Bytes(chunk_bytes);
    std::size_t m_at = 0;
    std::size_t m_end = 0;
    std::uint64_t m_sent = 0;
};

Result<> exchange(Child& child, Feeder& feeder, CommandResult& result,
                  std::function<void(std::uint64_t, std::uint64_t)> const& on_progress) {
    while (child.output || child.error_output) {
        std::array<pollfd, 3> waiting = {{{child.input.get(), POLLOUT, 0},
                                          {child.output.get(), POLLIN, 0},
                                          {child.error_output.get(), POLLIN, 0}}};
        if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
            return std::unexpected(error_from_errno(errno, "poll"));
        }
        if (child.input && waiting[0].revents != 0) {
            TRY_OK(feeder.feed(child.input));
            if (on_progress) {
                on_progress(feeder.sent(), feeder.size_bytes());
            }
        }
        if (child.output && waiting[1].revents != 0) {
            drain(child.output, result.output);
        }
        if (child.error_output && waiting[2].revents != 0) {
            drain(child.error_output, result.error_output);
        }
    }
    return {};
}

} // namespace

Result<CommandResult> feed_command(std::vector<std::string> const& arguments,
                                   std::filesystem::path const& file,
                                   std::function<void(std::uint64_t, std::uint64_t)> const& on_progress) {
    TRY(auto opened, open_file(file, O_RDONLY));
    struct stat facts{};
    if (fstat(opened.get(), &facts) != 0) {
        return std::unexpected(error_from_errno(errno, file.string()));
    }
    Feeder feeder(std::move(opened), static_cast<std::uint64_t>(facts.st_size));
    TRY(auto child, start(arguments));
    CommandResult result;
    // A program that ends before it has read everything must not end us too.
    auto* const before = std::signal(SIGPIPE, SIG_IGN);
    auto const exchanged = exchange(child, feeder, result, on_progress);
    std::signal(SIGPIPE, before);
    child.input.close();
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!exchanged) {
        return std::unexpected(Error(exchanged.error().code(), exchanged.error().message()));
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

} // namespace sinew::tooling
