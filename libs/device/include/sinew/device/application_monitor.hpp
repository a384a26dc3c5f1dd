/// ApplicationMonitor: knows how the application is doing and tells those who act on it.
///
/// Invariant: `failed` is final: the application's supervisor has given up, and nothing but a reboot brings
/// it back. Threading: a server. It hears OsProcessEvents from the application's OsProcess and the end of its
/// supervisor.
#pragma once

#include <sinew/device/os_process.hpp>
#include <sinew/otp.hpp>

#include <boost/describe/enum.hpp>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace sinew::device {

enum class ApplicationStatus : std::uint8_t { starting, running, silent, stopped, failed, held_back };
BOOST_DESCRIBE_ENUM(ApplicationStatus, starting, running, silent, stopped, failed, held_back)

/// `silent`: it hasn't answered for a while, and is ended if that goes on. `stopped` is between an end and the
/// next start. `held_back`: the machine was reset too often soon after its start, so it isn't started.
struct ApplicationState {
    ApplicationStatus status = ApplicationStatus::stopped;
    pid_t pid = 0;
    /// How often it was started again.
    int restarts = 0;
    /// How it ended last.
    std::string last_end = {};
};

struct ApplicationMonitorOptions {
    /// Called in this process with every change.
    std::function<void(ApplicationState const&)> listener = {};
};

/// The name of the supervisor above the application's OsProcess.
inline constexpr char const* application_supervisor_name = "application";

class ApplicationMonitor : public Server<ApplicationMonitor> {
public:
    using Options = ApplicationMonitorOptions;
    /// Asks it to tell its listener the present state again.
    struct Announce {};
    struct GetState {
        using Reply = ApplicationState;
    };
    explicit ApplicationMonitor(Options options);
    void handle_info(OsProcessEvent event);
    void handle_info(Down const& down);
    void handle_info(Announce announce);
    ApplicationState handle_call(GetState request);

private:
    void watch_supervisor();
    void publish();
    Options m_options;
    ApplicationState m_state;
    Pid m_supervisor;
    bool m_was_started = false;
    /// It was asked to stop, so its supervisor's end is no failure.
    bool m_is_stopping = false;
};

} // namespace sinew::device
