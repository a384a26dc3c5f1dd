/// Implements children.hpp.
///
/// Invariant: signals stay blocked in PID 1 for its whole life; a blocked signal is kept, never lost.
/// Threading: one thread.
#include "children.hpp"

#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace sinew::init {
namespace {

constexpr int inherited_number = 3;
constexpr int exec_failed_status = 127;

std::vector<char*> pointers_to(std::vector<std::string> const& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (auto const& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str())); // execve(2) promises not to write to them.
    }
    pointers.push_back(nullptr);
    return pointers;
}

[[noreturn]] void execute(CommandSpec const& spec, std::vector<std::string> const& environment) {
    (void)::setsid();
    if (int const null = ::open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) {
        (void)::dup2(null, STDIN_FILENO);
    }
    if (int const console = ::open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY); console >= 0) {
        (void)::dup2(console, STDOUT_FILENO);
        (void)::dup2(console, STDERR_FILENO);
    }
    if (spec.inherited_descriptor == inherited_number) {
        (void)::fcntl(inherited_number, F_SETFD, 0);
    } else if (spec.inherited_descriptor >= 0) {
        (void)::dup2(spec.inherited_descriptor, inherited_number);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::execve(spec.arguments.front().c_str(), pointers_to(spec.arguments).data(),
             pointers_to(environment).data());
    ::_exit(exec_failed_status);
}

} // namespace

Result<pid_t> start_command(CommandSpec const& spec) {
    std::vector<std::string> environment;
    environment.reserve(spec.environment.size());
    for (auto const& [name, value] : spec.environment) {
        environment.push_back(std::string(name).append("=").append(value));
    }
    pid_t const child = ::fork();
    if (child < 0) {
        return std::unexpected(error_from_errno(errno, "can't start " + spec.arguments.front()));
    }
    if (child == 0) {
        execute(spec, environment);
    }
    return child;
}

std::optional<int> reap(pid_t command) {
    std::optional<int> command_status;
    while (true) {
        int status = 0;
        pid_t const ended = ::waitpid(-1, &status, WNOHANG);
        if (ended < 0 && errno == EINTR) {
            continue;
        }
        if (ended <= 0) {
            return command_status;
        }
        if (ended == command) {
            command_status = status;
        }
    }
}

std::string describe_wait_status(int status) {
    if (!WIFSIGNALED(status)) {
        return "ended with status " + std::to_string(WEXITSTATUS(status));
    }
    auto const* name = ::sigdescr_np(WTERMSIG(status));
    return "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
           (name == nullptr ? "unknown" : name) + ")" + (WCOREDUMP(status) ? ", core dumped" : "");
}

bool has_no_children() {
    return ::waitpid(-1, nullptr, WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

void block_all_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

std::optional<int> next_signal(std::chrono::milliseconds at_most) {
    sigset_t all;
    ::sigfillset(&all);
    auto const seconds = std::chrono::floor<std::chrono::seconds>(at_most);
    timespec const timeout{.tv_sec = seconds.count(),
                           .tv_nsec = std::chrono::nanoseconds(at_most - seconds).count()};
    int const signal = ::sigtimedwait(&all, nullptr, &timeout);
    return signal > 0 ? std::optional(signal) : std::nullopt;
}

} // namespace sinew::init
