/// Implements run_program().
///
/// Invariant: the child's end is waited for by its pidfd, so that no other child's end is taken away from
/// PID 1. Threading: see the header.
#include "program.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

namespace sinew::init {
namespace {

constexpr Duration tick = std::chrono::seconds(1);
constexpr int exec_failed_status = 127;

/// In the child: never returns.
[[noreturn]] void execute(std::vector<std::string> const& arguments) {
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (auto const& argument : arguments) {
        pointers.push_back(const_cast<char*>(argument.c_str())); // execv(3) promises not to write to them.
    }
    pointers.push_back(nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::execv(pointers.front(), pointers.data());
    ::_exit(exec_failed_status);
}

int status_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

Result<int> run_program(std::vector<std::string> const& arguments, Duration limit,
                        std::function<void()> const& while_waiting) {
    if (::access(arguments.front().c_str(), X_OK) != 0) {
        return std::unexpected(error_from_errno(errno, "can't run " + arguments.front()));
    }
    pid_t const child = ::fork();
    if (child < 0) {
        return std::unexpected(error_from_errno(errno, "can't start " + arguments.front()));
    }
    if (child == 0) {
        execute(arguments);
    }
    // glibc 2.36 declares pidfd_open() without extern "C".
    FileDescriptor const ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    SystemClock const clock;
    auto const deadline = clock.now() + limit;
    while (true) {
        while_waiting();
        auto const left = std::clamp(deadline - clock.now(), Duration::zero(), tick);
        pollfd entry{.fd = ended.get(), .events = POLLIN, .revents = 0};
        if (::poll(&entry, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count())) >
            0) {
            return status_of(child);
        }
        if (left == Duration::zero()) {
            ::kill(child, SIGKILL);
            (void)status_of(child);
            return failure(ErrorCode::timed_out, arguments.front() + " took too long and was ended");
        }
    }
}

} // namespace sinew::init
