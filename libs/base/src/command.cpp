/// fork and exec with pipes, fed and drained by one poll loop so that neither side can block the other.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {

namespace {

constexpr std::size_t limit_output_bytes = 64u << 20;

struct Pipe {
    FileDescriptor read_end;
    FileDescriptor write_end;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) {
        return std::unexpected(error_from_errno(errno, "cannot make a pipe"));
    }
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<std::string> environment_with(CommandOptions const& options) {
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::string_view const text(*entry);
        auto const name = text.substr(0, text.find('='));
        bool const replaced = std::any_of(options.environment.begin(), options.environment.end(),
                                          [&](auto const& added) { return added.first == name; });
        if (!replaced) {
            environment.emplace_back(text);
        }
    }
    for (auto const& [name, value] : options.environment) {
        auto& entry = environment.emplace_back(name);
        entry += '=';
        entry += value;
    }
    return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (auto& text : texts) {
        list.push_back(text.data());
    }
    list.push_back(nullptr);
    return list;
}

/// What the child does between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char const* program, char* const* arguments, char* const* environment,
                         char const* working_directory, std::array<int, 3> const& standard,
                         int failure_pipe) {
    bool ready = working_directory == nullptr || ::chdir(working_directory) == 0;
    for (int i = 0; ready && i < 3; ++i) {
        ready = ::dup2(standard[static_cast<std::size_t>(i)], i) >= 0;
    }
    if (ready) {
        sigset_t none;
        ::sigemptyset(&none);
        ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
        ::execve(program, arguments, environment);
    }
    int const reason = errno;
    (void)!::write(failure_pipe, &reason, sizeof reason);
    ::_exit(127);
}

/// The running child: its pipes, and what it has said so far.
class Child {
public:
    Child(pid_t pid, FileDescriptor input, FileDescriptor output, FileDescriptor error_output,
          CommandOptions const& options)
        : m_pid(pid)
        , m_input(std::move(input))
        , m_output(std::move(output))
        , m_error_output(std::move(error_output))
        , m_options(options)
        , m_unfed(options.input ? std::string_view(*options.input) : std::string_view()) {}

    /// Feeds and drains until all pipes are closed or the time is up; then reaps. Empty: killed at the
    /// timeout.
    std::optional<CommandResult> run() {
        auto const start = std::chrono::steady_clock::now();
        bool killed = false;
        while (m_input || m_output || m_error_output) {
            int wait_ms = -1;
            if (m_options.timeout && !killed) {
                auto const left = *m_options.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(
                                                           std::chrono::steady_clock::now() - start);
                if (left.count() <= 0) {
                    killed = true;
                    ::kill(m_pid, SIGKILL);
                    break;
                }
                wait_ms = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
            }
            step(wait_ms);
        }
        int status = 0;
        while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (killed) {
            return std::nullopt;
        }
        m_result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        flush_line(m_output_line);
        flush_line(m_error_line);
        return std::move(m_result);
    }

private:
    void step(int wait_ms) {
        std::array<pollfd, 3> polled = {pollfd{m_input.get(), POLLOUT, 0}, pollfd{m_output.get(), POLLIN, 0},
                                        pollfd{m_error_output.get(), POLLIN, 0}};
        if (::poll(polled.data(), polled.size(), wait_ms) <= 0) {
            return;
        }
        if (polled[0].revents != 0) {
            feed();
        }
        if (polled[1].revents != 0) {
            drain(m_output, m_result.output, m_output_line);
        }
        if (polled[2].revents != 0) {
            drain(m_error_output, m_result.error_output, m_error_line);
        }
    }

    void feed() {
        auto const count =
            ::write(m_input.get(), m_unfed.data(), std::min<std::size_t>(m_unfed.size(), 65536));
        if (count > 0) {
            m_unfed.remove_prefix(static_cast<std::size_t>(count));
        }
        if (m_unfed.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) {
            m_input.close();
        }
    }

    void drain(FileDescriptor& from, std::string& into, std::string& line) {
        std::array<char, 65536> buffer{};
        auto const count = ::read(from.get(), buffer.data(), buffer.size());
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (count <= 0) {
            from.close();
            return;
        }
        std::string_view text(buffer.data(), static_cast<std::size_t>(count));
        into += text.substr(0, limit_output_bytes - std::min(limit_output_bytes, into.size()));
        if (!m_options.on_line) {
            return;
        }
        while (!text.empty()) {
            auto const end = text.find('\n');
            line += text.substr(0, end);
            if (end == std::string_view::npos) {
                return;
            }
            m_options.on_line(line);
            line.clear();
            text.remove_prefix(end + 1);
        }
    }

    void flush_line(std::string& line) {
        if (!line.empty() && m_options.on_line) {
            m_options.on_line(line);
        }
    }

    pid_t m_pid;
    FileDescriptor m_input;
    FileDescriptor m_output;
    FileDescriptor m_error_output;
    CommandOptions const& m_options;
    std::string_view m_unfed;
    std::string m_output_line;
    std::string m_error_line;
    CommandResult m_result;
};

/// SIGPIPE is blocked in this thread while a child is fed: a child that ends early must not end us.
class BlockedSigpipe {
public:
    BlockedSigpipe() {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &set, &m_before);
    }
    BlockedSigpipe(BlockedSigpipe const&) = delete;
    BlockedSigpipe& operator=(BlockedSigpipe const&) = delete;
    ~BlockedSigpipe() {
        if (sigismember(&m_before, SIGPIPE) == 0) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGPIPE);
            timespec const now{};
            while (::sigtimedwait(&set, nullptr, &now) > 0) {
            }
            ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
        }
    }

private:
    sigset_t m_before{};
};

std::string quoted(std::vector<std::string> const& arguments) {
    std::string text;
    for (auto const& argument : arguments) {
        text += text.empty() ? "" : " ";
        text += argument;
    }
    return text.size() <= 200 ? text : text.substr(0, 200) + "…";
}

} // namespace

std::optional<std::filesystem::path> find_program(std::string_view program) {
    if (program.find('/') != std::string_view::npos) {
        return ::access(std::string(program).c_str(), X_OK) == 0
                   ? std::optional<std::filesystem::path>(program)
                   : std::nullopt;
    }
    char const* const path = std::getenv("PATH"); // NOLINT(concurrency-mt-unsafe): nothing here changes it
    std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
    while (!rest.empty()) {
        auto const end = rest.find(':');
        auto candidate = std::filesystem::path(rest.substr(0, end)) / program;
        if (::access(candidate.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(candidate)) {
            return candidate;
        }
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return std::nullopt;
}

Result<CommandResult> run_command(std::vector<std::string> const& arguments, CommandOptions const& options) {
    auto const program = find_program(arguments.at(0));
    if (!program) {
        return failure(ErrorCode::not_found, "no program '" + arguments[0] + "' in PATH");
    }
    auto argument_copies = arguments;
    auto environment = environment_with(options);
    auto const argument_pointers = pointers(argument_copies);
    auto const environment_pointers = pointers(environment);
    TRY(auto input, make_pipe());
    TRY(auto output, make_pipe());
    TRY(auto error_output, make_pipe());
    TRY(auto exec_failure, make_pipe());
    TRY(auto null, open_file("/dev/null", O_RDONLY));
    BlockedSigpipe const blocked;
    std::array<int, 3> const standard = {options.input ? input.read_end.get() : null.get(),
                                         output.write_end.get(), error_output.write_end.get()};
    char const* const directory =
        options.working_directory.empty() ? nullptr : options.working_directory.c_str();
    pid_t const pid = ::fork();
    if (pid < 0) {
        return std::unexpected(error_from_errno(errno, "cannot start " + arguments[0]));
    }
    if (pid == 0) {
        become(program->c_str(), argument_pointers.data(), environment_pointers.data(), directory, standard,
               exec_failure.write_end.get());
    }
    exec_failure.write_end.close();
    input.read_end.close();
    output.write_end.close();
    error_output.write_end.close();
    int reason = 0;
    if (::read(exec_failure.read_end.get(), &reason, sizeof reason) == sizeof reason) {
        ::waitpid(pid, nullptr, 0);
        return std::unexpected(error_from_errno(reason, "cannot run " + program->string()));
    }
    if (!options.input || options.input->empty()) {
        input.write_end.close();
    } else {
        ::fcntl(input.write_end.get(), F_SETFL, O_NONBLOCK);
    }
    Child child(pid, std::move(input.write_end), std::move(output.read_end), std::move(error_output.read_end),
                options);
    auto result = child.run();
    if (!result) {
        return failure(ErrorCode::timed_out, "'" + quoted(arguments) + "' was still running after " +
                                                 std::to_string(options.timeout->count()) +
                                                 " ms and was killed");
    }
    return std::move(*result);
}

Result<std::string> run_checked(std::vector<std::string> const& arguments, CommandOptions const& options) {
    TRY(auto result, run_command(arguments, options));
    if (result.status != 0) {
        std::string_view said = result.error_output.empty() ? result.output : result.error_output;
        while (!said.empty() && said.back() == '\n') {
            said.remove_suffix(1);
        }
        if (said.size() > 2000) {
            said.remove_prefix(said.size() - 2000);
        }
        return failure(ErrorCode::io, "'" + quoted(arguments) + "' failed with status " +
                                          std::to_string(result.status) + (said.empty() ? "" : ": ") +
                                          std::string(said));
    }
    return std::move(result.output);
}

} // namespace sinew
