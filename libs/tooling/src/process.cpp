// run_attached(): a program in the foreground, and Ctrl-C for it. See process.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/process.hpp>
#include <sinew/tooling/process.hpp>

#include <fmt/core.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace sinew::tooling {

namespace {

/// Blocks the signals that steer the wait, and restores the mask.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigemptyset(&m_set);
        for (int const number : {SIGINT, SIGTERM, SIGHUP}) {
            sigaddset(&m_set, number);
        }
        pthread_sigmask(SIG_BLOCK, &m_set, &m_before);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    SignalsBlocked(SignalsBlocked const&) = delete;
    SignalsBlocked& operator=(SignalsBlocked const&) = delete;
    SignalsBlocked(SignalsBlocked&&) = delete;
    SignalsBlocked& operator=(SignalsBlocked&&) = delete;

    [[nodiscard]] sigset_t const& set() const noexcept { return m_set; }

private:
    sigset_t m_set{};
    sigset_t m_before{};
};

/// Does what a signal to the tool asks for.
class Steering {
public:
    Steering(Process& process, OnInterrupt on_interrupt)
        : m_process(process)
        , m_on_interrupt(on_interrupt) {}

    void handle(int number) {
        if (number == SIGINT && m_on_interrupt == OnInterrupt::asks_to_end) {
            m_process.signal(++m_interrupts == 1 ? SIGTERM : SIGKILL);
        } else if (number == SIGTERM || number == SIGHUP) {
            m_process.signal(SIGTERM);
        }
    }

private:
    Process& m_process;
    OnInterrupt m_on_interrupt;
    int m_interrupts = 0;
};

} // namespace

Result<ExitStatus> run_attached(std::vector<std::string> const& arguments, AttachedOptions const& options) {
    if (!find_program(arguments.at(0))) {
        return failure(ErrorCode::not_found,
                       fmt::format("the program '{}' is not installed; `sinew doctor` says how to "
                                   "get it",
                                   arguments[0]));
    }
    SignalsBlocked const blocked;
    FileDescriptor const signals(signalfd(-1, &blocked.set(), SFD_CLOEXEC));
    bool const is_asked_to_end = options.on_interrupt == OnInterrupt::asks_to_end;
    TRY(auto process,
        Process::start({.command = arguments,
                        .working_directory = options.working_directory,
                        .environment = options.environment,
                        .input = Redirect::inherited(),
                        .group = ProcessGroup::callers,
                        .ignored_signals = is_asked_to_end ? std::vector{SIGINT} : std::vector<int>(),
                        // Nothing outlives the tool, even if that is killed.
                        .signal_at_owners_end = SIGKILL}));
    Steering steering(process, options.on_interrupt);
    while (true) {
        std::array<pollfd, 2> watched = {{{process.ended().get(), POLLIN, 0}, {signals.get(), POLLIN, 0}}};
        (void)poll(watched.data(), watched.size(), -1);
        if (auto const status = process.status()) {
            return *status;
        }
        signalfd_siginfo signal{};
        if (watched[1].revents != 0 && read(signals.get(), &signal, sizeof signal) == sizeof signal) {
            steering.handle(static_cast<int>(signal.ssi_signo));
        }
    }
}

} // namespace sinew::tooling
