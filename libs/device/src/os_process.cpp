/// Implements OsProcess.
///
/// Invariant: while m_child is set, its end is watched; whoever takes it away says so to the listener.
#include <sinew/base/exit_status.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/log_line.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/otp.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

constexpr Duration ready_poll_interval = std::chrono::milliseconds(20);
// At most so much output is logged before other messages get their turn.
constexpr std::size_t read_budget_bytes = 64u << 10;
constexpr std::size_t max_datagram_bytes = 4096;
// A third of the limit without an answer is silence; the application answers twice as often.
constexpr int silent_part = 3;
constexpr int checks_in_limit = 12;
constexpr Duration abort_grace = std::chrono::seconds(2);

void log_line(std::string_view line) {
    auto const read = read_log_line(line);
    log::write(read.level, read.text);
}

/// Waits until `fd` is readable, at most `limit`. For the blocking pool.
bool wait_readable(int fd, std::chrono::milliseconds limit) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, static_cast<int>(limit.count())) > 0;
}

} // namespace

OsProcess::OsProcess(Options options)
    : m_options(std::move(options)) {}

OsProcess::~OsProcess() {
    if (!m_child || m_child->status()) {
        return;
    }
    m_child->signal(SIGKILL);
    m_watch_ended.close();
    m_watch_output.close();
    m_watch_notifications.close();
    auto const child = std::make_shared<std::optional<Process>>(std::exchange(m_child, std::nullopt));
    run_in_background_or_here([child] { child->reset(); });
}

Async<Result<>> OsProcess::init() {
    set_trap_exit(true); // So that terminate() runs when the supervisor asks to end.
    set_label(m_options.name);
    if (m_options.backoff) {
        auto const delay = m_options.backoff->next_delay(now());
        if (delay > Duration::zero()) {
            send_after(delay, Start{});
            co_return Result<>{};
        }
    }
    if (m_options.ready_path.empty()) {
        continue_with(Start{});
        co_return Result<>{};
    }
    co_await start_program();
    co_await wait_for_ready_path();
    co_return Result<>{};
}

Async<> OsProcess::handle_info(Start /*message*/) {
    return start_program();
}

Async<> OsProcess::start_program() {
    auto command = m_options.command;
    if (m_options.prepare) {
        auto prepared = co_await blocking(m_options.prepare);
        if (!prepared) {
            fail(prepared.error().message());
            co_return;
        }
        command = *std::move(prepared);
    }
    auto const launched = launch(command);
    if (!launched) {
        fail(launched.error().message());
    }
}

Async<> OsProcess::wait_for_ready_path() {
    auto const deadline = now() + m_options.ready_limit;
    while (m_child && ::access(m_options.ready_path.c_str(), F_OK) != 0) {
        if (now() >= deadline) {
            log::warning("it hasn't made " + m_options.ready_path + " in its time; going on without");
            co_return;
        }
        (void)co_await pause(ready_poll_interval);
    }
}

Result<> OsProcess::launch(std::vector<std::string> const& command) {
    ProcessOptions program{.command = command,
                           .environment = m_options.environment,
                           .output = Redirect::pipe(),
                           .error_output = Redirect::output(),
                           .group = ProcessGroup::session};
    if (m_options.notifies_ready) {
        TRY(m_notify_socket, NotifySocket::create());
        program.environment.emplace_back("NOTIFY_SOCKET", m_notify_socket->name());
        if (m_options.answer_limit > std::chrono::milliseconds::zero()) {
            auto const limit = std::chrono::microseconds(m_options.answer_limit);
            program.environment.emplace_back("WATCHDOG_USEC", std::to_string(limit.count()));
        }
    }
    TRY(m_child, Process::start(program));
    TRY(m_watch_ended, FileWatch::create(m_child->ended().get()));
    TRY(m_watch_output, FileWatch::create(m_child->output().get()));
    tell(OsProcessEvent::Kind::started);
    if (m_notify_socket) {
        TRY(m_watch_notifications, FileWatch::create(m_notify_socket->socket().get()));
    } else {
        m_is_ready = true;
        tell(OsProcessEvent::Kind::ready);
    }
    return {};
}

/// The program couldn't be started: the supervisor, and the backoff, decide what follows.
void OsProcess::fail(std::string const& why) {
    log::error(why);
    tell(OsProcessEvent::Kind::ended, why);
    stop(ExitReason::error(why));
}

void OsProcess::handle_info(FileReady ready) {
    if (!m_child) {
        return;
    }
    if (ready.fd == m_child->output().get()) {
        read_output();
    } else if (m_notify_socket && ready.fd == m_notify_socket->socket().get()) {
        read_notifications();
    } else if (ready.fd == m_child->ended().get()) {
        finish();
    }
}

void OsProcess::handle_info(Exit const& message) {
    // Only from something it was linked to by hand; its parent's exit goes to terminate().
    log::debug("an exit signal was ignored: " + message.reason.to_string());
}

pid_t OsProcess::handle_call(GetPid /*request*/) {
    return m_child ? m_child->pid() : 0;
}

void OsProcess::read_output() {
    std::array<char, 4096> buffer{};
    for (std::size_t total = 0; m_child && total < read_budget_bytes;) {
        auto const count = ::read(m_child->output().get(), buffer.data(), buffer.size());
        if (count == 0) {
            m_watch_output.close(); // Everyone who had it has closed it; the child may live on.
        }
        if (count <= 0) {
            return;
        }
        m_lines.feed({buffer.data(), static_cast<std::size_t>(count)}, log_line);
        total += static_cast<std::size_t>(count);
    }
}

void OsProcess::read_notifications() {
    std::array<char, max_datagram_bytes> datagram{};
    while (m_notify_socket) {
        auto const count =
            ::recv(m_notify_socket->socket().get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
        if (count <= 0) {
            return;
        }
        std::string_view const said(datagram.data(), static_cast<std::size_t>(count));
        if (!m_is_ready && says_ready(said)) {
            m_is_ready = true;
            tell(OsProcessEvent::Kind::ready);
        }
        if (says_alive(said) && m_options.answer_limit > std::chrono::milliseconds::zero()) {
            hear_answer();
        }
    }
}

void OsProcess::hear_answer() {
    bool const is_first = !m_last_answer;
    m_last_answer = now();
    if (std::exchange(m_is_silent, false)) {
        log::notice(m_options.name + " answers again");
        tell(OsProcessEvent::Kind::ready);
    }
    if (is_first) {
        send_after(m_options.answer_limit / checks_in_limit, CheckAnswers{});
    }
}

void OsProcess::handle_info(CheckAnswers /*check*/) {
    if (!m_child || !m_last_answer) {
        return;
    }
    read_notifications(); // What came meanwhile counts, on a busy machine too.
    auto const silence = now() - *m_last_answer;
    auto const seconds = [](Duration time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
    };
    if (!m_fault.empty()) {
        m_child->signal(SIGKILL); // A program that is stopped takes no other.
    } else if (silence >= m_options.answer_limit) {
        m_fault = "didn't answer for " + seconds(silence) + ", and ";
        log::error(m_options.name + " doesn't answer; ending it");
        m_child->signal(SIGABRT); // It may still say where it is.
    } else if (silence >= m_options.answer_limit / silent_part && !std::exchange(m_is_silent, true)) {
        log::warning(m_options.name + " hasn't answered for " + seconds(silence));
        tell(OsProcessEvent::Kind::silent);
    }
    send_after(m_fault.empty() ? Duration(m_options.answer_limit) / checks_in_limit : abort_grace,
               CheckAnswers{});
}

/// The program has ended by itself.
void OsProcess::finish() {
    auto const status = m_child ? m_child->status() : std::nullopt;
    if (!status) {
        return;
    }
    read_output();
    m_lines.finish(log_line);
    auto const how = m_fault + to_string(*status);
    tell(OsProcessEvent::Kind::ended, how);
    stop(status->is_success() ? ExitReason::normal() : ExitReason::error(m_options.name + " " + how));
}

Async<> OsProcess::terminate(ExitReason reason) {
    if (!m_child || m_child->status()) {
        co_return;
    }
    m_child->signal(SIGTERM);
    int const ended = m_child->ended().get();
    auto const grace = m_options.stop_grace;
    auto const ended_in_time = co_await blocking([ended, grace] { return wait_readable(ended, grace); });
    if (!ended_in_time || !*ended_in_time) {
        log::warning("it didn't end in its time; killing it");
        m_child->signal(SIGKILL);
        // The kernel needs a moment to end it, more on a busy machine; its grace has nothing to do with that.
        (void)co_await blocking([ended] { return wait_readable(ended, std::chrono::seconds(1)); });
    }
    read_output();
    m_lines.finish(log_line);
    auto const status = m_child->status();
    tell(OsProcessEvent::Kind::stopped, status ? to_string(*status) : reason.to_string());
}

void OsProcess::tell(OsProcessEvent::Kind kind, std::string detail) {
    if (m_options.listener) {
        auto const pid = m_child ? m_child->pid() : 0;
        m_options.listener({.kind = kind, .name = m_options.name, .pid = pid, .detail = std::move(detail)});
    }
}

ChildSpec os_process_child(OsProcessOptions options) {
    // A little more than it needs: SIGTERM, the grace, SIGKILL.
    ChildOptions place{.id = options.name,
                       .restart = Restart::permanent,
                       .shutdown = Shutdown::after(options.stop_grace + std::chrono::seconds(2))};
    return child<OsProcess>(std::move(options), std::move(place));
}

} // namespace sinew::device
