/// Implements spawn() with vfork(2): an application of any size is copied for no program it starts.
///
/// Invariant: between vfork() and execve() the child makes system calls only; all signals are blocked, so that
/// no handler of this program runs in it. Sanitizers are kept out of the child: they would see two processes
/// in one memory.
#include "spawn.hpp"

#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>

#define SINEW_NOT_SANITIZED __attribute__((noinline, no_sanitize("address", "thread", "undefined")))

namespace sinew::detail {
namespace {

constexpr int exec_failed_status = 127;

enum class Step { start, folder, program };

/// What the child tells when it couldn't become the program.
struct Failure {
    Step step = Step::start;
    int reason = 0;
};

SINEW_NOT_SANITIZED void reset_signals(SpawnPlan const& plan) {
    struct sigaction action = {};
    for (int number = 1; number <= SIGRTMAX; ++number) {
        bool is_ignored = false;
        for (int const ignored : plan.ignored_signals) {
            is_ignored = is_ignored || ignored == number;
        }
        action.sa_handler = is_ignored ? SIG_IGN : SIG_DFL;
        (void)::sigaction(number, &action, nullptr); // SIGKILL and the like can't be set, and needn't be.
    }
}

/// Sources are moved above all targets first, so that none is overwritten before it is used.
SINEW_NOT_SANITIZED bool place_descriptors(std::vector<std::pair<int, int>>& descriptors, int lowest_free) {
    (void)::close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    std::pair<int, int>* const begin = descriptors.data();
    std::pair<int, int> const* const end = begin + descriptors.size();
    for (auto* entry = begin; entry != end; ++entry) {
        entry->first = ::fcntl(entry->first, F_DUPFD_CLOEXEC, lowest_free);
    }
    bool is_placed = true;
    for (auto* entry = begin; entry != end; ++entry) {
        is_placed = is_placed && ::dup2(entry->first, entry->second) >= 0;
    }
    return is_placed;
}

[[noreturn]] SINEW_NOT_SANITIZED void give_up(Step step, int failure_pipe) {
    Failure const failure{step, errno};
    (void)!::write(failure_pipe, &failure, sizeof failure);
    ::_exit(exec_failed_status);
}

[[noreturn]] SINEW_NOT_SANITIZED void become(SpawnPlan& plan, int lowest_free, int failure_pipe) {
    reset_signals(plan);
    if (plan.group == ProcessGroup::session) {
        (void)::setsid();
    } else if (plan.group == ProcessGroup::own) {
        (void)::setpgid(0, 0);
    }
    if (plan.signal_at_owners_end != 0) {
        (void)::prctl(PR_SET_PDEATHSIG, plan.signal_at_owners_end);
    }
    if (plan.working_directory != nullptr && ::chdir(plan.working_directory) != 0) {
        give_up(Step::folder, failure_pipe);
    }
    if (!place_descriptors(plan.descriptors, lowest_free)) {
        give_up(Step::start, failure_pipe);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::execve(plan.program, plan.arguments, plan.environment);
    give_up(Step::program, failure_pipe);
}

/// A function of its own: what the child writes to the stack lies beyond this frame.
SINEW_NOT_SANITIZED pid_t fork_and_become(SpawnPlan& plan, int lowest_free, int failure_pipe) {
    pid_t const child = ::vfork(); // NOLINT(*-vfork,bugprone-unsafe-functions): see above
    if (child == 0) {
        become(plan, lowest_free, failure_pipe);
    }
    return child;
}

Error explain(Failure const& failure, SpawnPlan const& plan) {
    std::string const name = plan.program;
    switch (failure.step) {
    case Step::folder:
        return error_from_errno(failure.reason, "can't run " + name + " in " + plan.working_directory);
    case Step::program:
        return error_from_errno(failure.reason, "can't run " + name);
    case Step::start:
        break;
    }
    return error_from_errno(failure.reason, "can't start " + name);
}

} // namespace

Result<pid_t> spawn(SpawnPlan plan) {
    int lowest_free = STDERR_FILENO + 1;
    for (auto const& [from, to] : plan.descriptors) {
        lowest_free = std::max(lowest_free, to + 1);
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return std::unexpected(explain({Step::start, errno}, plan));
    }
    FileDescriptor const failed(ends[0]);
    FileDescriptor low_end(ends[1]);
    FileDescriptor failure_pipe(::fcntl(low_end.get(), F_DUPFD_CLOEXEC, lowest_free));
    low_end.close();
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t const child = fork_and_become(plan, lowest_free, failure_pipe.get());
    int const reason = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (child < 0) {
        return std::unexpected(explain({Step::start, reason}, plan));
    }
    failure_pipe.close();
    Failure failure;
    ssize_t count = 0;
    do {
        count = ::read(failed.get(), &failure, sizeof failure);
    } while (count < 0 && errno == EINTR);
    if (count != static_cast<ssize_t>(sizeof failure)) {
        return child;
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::unexpected(explain(failure, plan));
}

} // namespace sinew::detail
