/// Implements children.hpp.
///
/// Invariant: signals stay blocked in PID 1 for its whole life; a blocked signal is kept, never lost.
#include "children.hpp"

#include <sinew/base/exit_status.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>

namespace sinew::init {
Result<pid_t> start_command(CommandSpec const& spec) {
    FileDescriptor const console(::open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY));
    auto const output = console ? Redirect::to(console.get()) : Redirect::inherited();
    ProcessOptions const options{.command = spec.arguments,
                                 .environment = spec.environment,
                                 .environment_is = ProcessOptions::Environment::whole,
                                 .output = output,
                                 .error_output = output,
                                 .descriptors = spec.descriptors,
                                 .group = ProcessGroup::session};
    TRY(auto command, Process::start(options));
    return command.release(); // reap() hears of its end, as of everyone's.
}

std::optional<ExitStatus> reap(pid_t command) {
    std::optional<ExitStatus> command_status;
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
            command_status = ExitStatus::from_wait_status(status);
        }
    }
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
