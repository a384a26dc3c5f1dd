// run_attached(): fork, exec, and forward Ctrl-C. See process.hpp.
#include <sinew/base/command.hpp>
#include <sinew/tooling/process.hpp>

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace sinew::tooling {

namespace {

constexpr int cannot_start = 127;

/// Blocks the signals that steer the wait, and restores the mask.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigemptyset(&m_set);
        for (int const number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
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
    [[nodiscard]] sigset_t const& before() const noexcept { return m_before; }

private:
    sigset_t m_set{};
    sigset_t m_before{};
};

[[noreturn]] void become(std::vector<std::string> const& arguments, AttachedOptions const& options,
                         sigset_t const& mask) {
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (std::string const& word : arguments) {
        words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    for (auto const& [name, value] : options.environment) {
        setenv(name.c_str(), value.c_str(), 1); // NOLINT(concurrency-mt-unsafe): the child has one thread
    }
    if (!options.working_directory.empty() && chdir(options.working_directory.c_str()) != 0) {
        _exit(cannot_start);
    }
    // Nothing outlives the tool, even if that is killed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (options.on_interrupt == OnInterrupt::asks_to_end) {
        std::signal(SIGINT, SIG_IGN);
    }
    pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    execvp(words[0], words.data());
    _exit(cannot_start);
}

int exit_status(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

} // namespace

Result<int> run_attached(std::vector<std::string> const& arguments, AttachedOptions const& options) {
    if (!find_program(arguments.at(0))) {
        return failure(ErrorCode::not_found,
                       fmt::format("the program '{}' is not installed; `sinew doctor` says how to "
                                   "get it",
                                   arguments[0]));
    }
    SignalsBlocked const blocked;
    pid_t const child = fork();
    if (child < 0) {
        return std::unexpected(error_from_errno(errno, fmt::format("{} can't be started", arguments[0])));
    }
    if (child == 0) {
        become(arguments, options, blocked.before());
    }
    int interrupts = 0;
    while (true) {
        int status = 0;
        if (waitpid(child, &status, WNOHANG) == child) {
            return exit_status(status);
        }
        int const number = sigwaitinfo(&blocked.set(), nullptr);
        if (number == SIGINT && options.on_interrupt == OnInterrupt::asks_to_end) {
            kill(child, ++interrupts == 1 ? SIGTERM : SIGKILL);
        } else if (number == SIGTERM || number == SIGHUP) {
            kill(child, SIGTERM);
        }
    }
}

} // namespace sinew::tooling
