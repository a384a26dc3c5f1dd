/// Implements Process: the life of a program that runs. How it starts: start_process.cpp.
///
/// Invariant: the program stays a zombie until its Process ends, so that its number and its group's aren't
/// given to another meanwhile.
#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/exit_status.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <utility>

namespace sinew {
namespace {

/// A reader that goes away is an error of write(2) while this is in scope, not the end of this process.
class BrokenPipeAsError {
public:
    BrokenPipeAsError() {
        ::sigemptyset(&m_pipe_only);
        ::sigaddset(&m_pipe_only, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &m_pipe_only, &m_before);
    }
    BrokenPipeAsError(BrokenPipeAsError const&) = delete;
    BrokenPipeAsError& operator=(BrokenPipeAsError const&) = delete;
    ~BrokenPipeAsError() {
        timespec const at_once{};
        if (::sigismember(&m_before, SIGPIPE) == 0) {
            (void)::sigtimedwait(&m_pipe_only, nullptr, &at_once);
            ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
        }
    }

private:
    sigset_t m_pipe_only{};
    sigset_t m_before{};
};

/// poll(2) until `deadline`, if there is one. False: the time is up.
bool wait_for_event(int fd, short events, std::optional<MonotonicTime> deadline) noexcept {
    SystemClock const clock;
    while (true) {
        timespec left{};
        if (deadline) {
            auto const duration = std::max(*deadline - clock.now(), Duration::zero());
            auto const seconds = std::chrono::floor<std::chrono::seconds>(duration);
            left = {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
        }
        pollfd entry{.fd = fd, .events = events, .revents = 0};
        int const count = ::ppoll(&entry, 1, deadline ? &left : nullptr, nullptr);
        if (count >= 0 || errno != EINTR) {
            return count > 0;
        }
    }
}

ExitStatus status_of(siginfo_t const& info) noexcept {
    if (info.si_code == CLD_EXITED) {
        return ExitStatus::exited(info.si_status);
    }
    return ExitStatus::from_wait_status(info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0));
}

} // namespace

Process::Process(Process&& other) noexcept
    : m_pid(std::exchange(other.m_pid, 0))
    , m_group(other.m_group)
    , m_ended(std::move(other.m_ended))
    , m_input(std::move(other.m_input))
    , m_output(std::move(other.m_output))
    , m_error_output(std::move(other.m_error_output))
    , m_status(other.m_status) {}

Process& Process::operator=(Process&& other) noexcept {
    if (this != &other) {
        end_now();
        m_pid = std::exchange(other.m_pid, 0);
        m_group = other.m_group;
        m_ended = std::move(other.m_ended);
        m_input = std::move(other.m_input);
        m_output = std::move(other.m_output);
        m_error_output = std::move(other.m_error_output);
        m_status = other.m_status;
    }
    return *this;
}

Process::~Process() {
    end_now();
}

Result<std::size_t> Process::write_some(BytesView bytes) {
    BrokenPipeAsError const guard;
    ssize_t count = 0;
    do {
        count = ::write(m_input.get(), bytes.data(), bytes.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN) {
        return std::unexpected(error_from_errno(errno, "it doesn't read its input"));
    }
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

Result<> Process::write_all(BytesView bytes) {
    while (!bytes.empty()) {
        TRY(auto const count, write_some(bytes));
        bytes = bytes.subspan(count);
        if (!bytes.empty()) {
            assert_may_block("writing to a program");
            (void)wait_for_event(m_input.get(), POLLOUT, std::nullopt);
        }
    }
    return {};
}

void Process::signal(int number) noexcept {
    if (m_pid <= 0 || status() == ExitStatus::lost()) {
        return; // Its number may be another's by now.
    }
    (void)::kill(m_group == ProcessGroup::callers ? m_pid : -m_pid, number);
}

std::optional<ExitStatus> Process::status() noexcept {
    siginfo_t info{};
    if (m_status || m_pid <= 0) {
        return m_status;
    }
    if (::waitid(P_PID, static_cast<id_t>(m_pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        m_status = ExitStatus::lost(); // ECHILD; it isn't interrupted, as it doesn't wait.
    } else if (info.si_pid != 0) {
        m_status = status_of(info);
    }
    return m_status;
}

std::optional<ExitStatus> Process::wait_for(Duration limit) noexcept {
    assert_may_block("waiting for a program");
    (void)wait_for_event(m_ended.get(), POLLIN, SystemClock().now() + limit);
    return status();
}

ExitStatus Process::wait() noexcept {
    assert_may_block("waiting for a program");
    (void)wait_for_event(m_ended.get(), POLLIN, std::nullopt);
    return status().value_or(ExitStatus::lost());
}

ExitStatus Process::end(Duration grace) noexcept {
    if (grace > Duration::zero()) {
        signal(SIGTERM);
        (void)wait_for(grace);
    }
    signal(SIGKILL); // Also after the program's own end: others of its group may live on.
    return wait();
}

void Process::end_now() noexcept {
    if (m_pid <= 0) {
        return;
    }
    if (!status()) {
        assert_may_block("reaping a program that runs");
    }
    signal(SIGKILL);
    while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    m_pid = 0;
}

} // namespace sinew
