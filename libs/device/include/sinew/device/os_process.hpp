/// OsProcess: a supervised process that is an operating system process: it ends when the program ends, and
/// the program ends when it does.
///
///     auto const ssh = os_process_child({.name = "dropbear", .command = {"/usr/sbin/dropbear", "-F"}});
///
/// Its exit reason is normal when the program ended with status 0, else an error that says how it ended.
/// Asked to end, it sends SIGTERM to the program's group, waits `stop_grace`, then kills the group. What the
/// program prints goes to the log, line by line. Threading: a server; everything runs in its process.
#pragma once

#include <sinew/base/process.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/notify_socket.hpp>
#include <sinew/otp.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::device {

/// What happened to the program of an OsProcess.
struct OsProcessEvent {
    /// `silent`: it hasn't answered for a while; `ready` again when it does. `ended`: by itself, because it
    /// didn't answer any more, or it couldn't be started; `stopped`: because it was asked to.
    enum class Kind : std::uint8_t { started, ready, silent, ended, stopped };
    Kind kind = Kind::started;
    std::string name = {};
    pid_t pid = 0;
    /// How it ended, or why it couldn't be started.
    std::string detail = {};
};

struct OsProcessOptions {
    std::string name = {};
    std::vector<std::string> command = {};
    std::vector<std::pair<std::string, std::string>> environment = {};
    /// Runs on the blocking pool before each start and returns the command to use instead of `command`.
    std::function<Result<std::vector<std::string>>()> prepare = {};
    /// init() is done only once this path exists, or after `ready_limit`; empty: doesn't wait.
    std::string ready_path = {};
    Duration ready_limit = std::chrono::seconds(10);
    /// The program tells NOTIFY_SOCKET when it is ready; without it, it counts as ready once started.
    bool notifies_ready = false;
    /// A program that tells NOTIFY_SOCKET that it lives (WATCHDOG=1), be it once, is ended when it hasn't for so
    /// long; it is asked to by WATCHDOG_USEC. Zero: nobody asks. Needs `notifies_ready`.
    std::chrono::milliseconds answer_limit{0};
    std::chrono::milliseconds stop_grace = std::chrono::seconds(5);
    /// Waits between starts; without one it starts at once.
    std::shared_ptr<Backoff> backoff = {};
    /// Called in this process; must not block.
    std::function<void(OsProcessEvent const&)> listener = {};
};

class OsProcess : public Server<OsProcess> {
public:
    using Options = OsProcessOptions;
    struct Start {};
    struct CheckAnswers {};
    /// The program's process number; 0 while it isn't running.
    struct GetPid {
        using Reply = pid_t;
    };

    explicit OsProcess(Options options);
    OsProcess(OsProcess const&) = delete;
    OsProcess& operator=(OsProcess const&) = delete;
    OsProcess(OsProcess&&) = delete;
    OsProcess& operator=(OsProcess&&) = delete;
    /// A program that still runs is killed; the blocking pool waits for its end.
    ~OsProcess();

    Async<Result<>> init();
    Async<> handle_info(Start message);
    void handle_info(CheckAnswers check);
    void handle_info(FileReady ready);
    void handle_info(Exit const& message);
    pid_t handle_call(GetPid request);
    Async<> terminate(ExitReason reason);

private:
    Async<> start_program();
    Async<> wait_for_ready_path();
    Result<> launch(std::vector<std::string> const& command);
    void fail(std::string const& why);
    void read_output();
    void read_notifications();
    void hear_answer();
    void finish();
    void tell(OsProcessEvent::Kind kind, std::string detail = {});

    Options m_options;
    std::optional<Process> m_child;
    std::optional<NotifySocket> m_notify_socket;
    // After those, so that they are destroyed before the descriptors they watch.
    FileWatch m_watch_ended;
    FileWatch m_watch_output;
    FileWatch m_watch_notifications;
    LineSplitter m_lines;
    bool m_is_ready = false;
    bool m_is_silent = false;
    /// When the program last said that it lives; nothing: it never did.
    std::optional<MonotonicTime> m_last_answer;
    /// Why it is being ended, though nobody asked for that.
    std::string m_fault;
};

/// The place of an OsProcess in a tree: its id is its name, and it may use its whole stop_grace.
[[nodiscard]] ChildSpec os_process_child(OsProcessOptions options);

} // namespace sinew::device
