#include "application/stop_guard.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process_info.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace sinew::detail {
namespace {

using std::chrono::milliseconds;

/// Log handlers are processes: the last line needs a moment to get out.
constexpr milliseconds last_words{200};
constexpr std::size_t most_named = 5;

sigset_t stop_signals() noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    struct sigaction hangup{};
    // A blocked signal comes to the descriptor even when it is ignored.
    if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        sigaddset(&set, SIGHUP);
    }
    return set;
}

void wake(FileDescriptor const& event) noexcept {
    std::uint64_t const one = 1;
    (void)!::write(event.get(), &one, sizeof one);
}

/// Where a process is that doesn't end, or nothing.
std::optional<std::string_view> place_in(ProcessInfo const& info) noexcept {
    switch (info.state) {
    case ProcessState::running:
        return "in a handler";
    case ProcessState::awaiting:
        return "in a handler that awaits something";
    case ProcessState::starting:
        return "in init()";
    case ProcessState::stopping:
        return "stopping";
    case ProcessState::waiting:
    case ProcessState::runnable:
    case ProcessState::receiving:
    case ProcessState::blocked:
        break;
    }
    return std::nullopt;
}

/// "Lamp <1.7> (in a handler for Tick), Store <1.9> (stopping)". A supervisor only waits for these.
std::string busy_processes() {
    std::string text;
    std::size_t count = 0;
    for (Pid const pid : processes()) {
        std::optional<ProcessInfo> const info = process_info(pid);
        std::optional<std::string_view> const place =
            info && !info->is_supervisor ? place_in(*info) : std::nullopt;
        if (place && ++count <= most_named) {
            text.append(text.empty() ? "" : ", ").append(info->type_name()).append(" ");
            text.append(pid.to_string()).append(" (").append(*place);
            text.append(info->handling != nullptr ? " for " + readable_type_name(*info->handling) : "")
                .append(")");
        }
    }
    return count > most_named ? text + " and " + std::to_string(count - most_named) + " more" : text;
}

} // namespace

StopGuard::StopGuard(std::string name, Duration limit)
    : m_name(std::move(name))
    , m_limit(limit)
    , m_asked(eventfd(0, EFD_CLOEXEC))
    , m_news(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    sigset_t const signals = stop_signals();
    (void)pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    m_signals = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!m_signals || !m_asked || !m_news) {
        throw std::system_error(errno, std::system_category(), "the signals to stop can't be waited for");
    }
    m_thread = std::thread([this] { run(); });
}

StopGuard::~StopGuard() {
    m_is_over.store(true);
    wake(m_news);
    m_thread.join();
}

void StopGuard::begin() noexcept {
    wake(m_news);
}

StopGuard::Watch::Watch(StopGuard& guard, Node& node)
    : m_guard(guard) {
    std::lock_guard const lock(guard.m_mutex);
    guard.m_node = &node;
}

StopGuard::Watch::~Watch() {
    std::string left_over = busy_processes();
    std::lock_guard const lock(m_guard.m_mutex);
    m_guard.m_node = nullptr;
    m_guard.m_left_over = std::move(left_over);
}

void StopGuard::run() {
    for (;;) {
        std::array<pollfd, 2> files{pollfd{.fd = m_signals.get(), .events = POLLIN, .revents = 0},
                                    pollfd{.fd = m_news.get(), .events = POLLIN, .revents = 0}};
        (void)poll(files.data(), files.size(), milliseconds_left());
        if (m_is_over.load()) {
            return;
        }
        if (std::uint64_t news = 0; ::read(m_news.get(), &news, sizeof news) == sizeof news) {
            start_limit();
        }
        hear();
        if (m_deadline && std::chrono::steady_clock::now() >= *m_deadline) {
            end_program("did not stop within " +
                        std::to_string(std::chrono::duration_cast<milliseconds>(m_limit).count()) + " ms");
        }
    }
}

void StopGuard::hear() {
    signalfd_siginfo signal{};
    while (::read(m_signals.get(), &signal, sizeof signal) == sizeof signal) {
        if (!std::exchange(m_is_asked, true)) {
            start_limit();
            wake(m_asked);
        } else if (signal.ssi_signo == SIGINT) {
            end_program("was interrupted again before it had stopped");
        } else {
            // Service managers send it to each of a group, and once more: that must not cut the end short.
            say(log::Level::warning, "is stopping");
        }
    }
}

void StopGuard::start_limit() {
    if (!m_deadline && m_limit < Duration::max() / 2) {
        m_deadline = std::chrono::steady_clock::now() + m_limit;
    }
}

int StopGuard::milliseconds_left() const {
    if (!m_deadline) {
        return -1;
    }
    auto const left = std::chrono::ceil<milliseconds>(*m_deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

void StopGuard::say(log::Level level, std::string_view what) {
    std::lock_guard const lock(m_mutex);
    std::optional<NodeScope> scope;
    if (m_node != nullptr) {
        scope.emplace(*m_node);
    }
    std::string const busy = m_node != nullptr ? busy_processes() : m_left_over;
    log::write(level, m_name + " " + std::string(what) + "; it waits for " +
                          (busy.empty() ? "blocking work or a function of the application" : busy));
}

void StopGuard::end_program(std::string_view why) {
    say(log::Level::error, why);
    std::this_thread::sleep_for(last_words);
    std::_Exit(1);
}

} // namespace sinew::detail
