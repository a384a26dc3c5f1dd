/// Implements ApplicationMonitor.
///
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/otp.hpp>

#include <string>
#include <utility>

namespace sinew::device {

ApplicationMonitor::ApplicationMonitor(Options options)
    : m_options(std::move(options)) {}

void ApplicationMonitor::handle_info(OsProcessEvent event) {
    watch_supervisor();
    switch (event.kind) {
    case OsProcessEvent::Kind::started:
        m_state.restarts += m_was_started ? 1 : 0;
        m_was_started = true;
        m_is_stopping = false;
        m_state.status = ApplicationStatus::starting;
        m_state.pid = event.pid;
        break;
    case OsProcessEvent::Kind::ready:
        m_state.status = ApplicationStatus::running;
        break;
    case OsProcessEvent::Kind::silent:
        m_state.status = ApplicationStatus::silent;
        break;
    case OsProcessEvent::Kind::stopped:
        m_state.status = ApplicationStatus::stopped;
        m_state.pid = 0;
        m_is_stopping = true;
        break;
    case OsProcessEvent::Kind::ended:
        m_state.status = ApplicationStatus::stopped;
        m_state.pid = 0;
        m_state.last_end = std::move(event.detail);
        log::warning("the application " + m_state.last_end);
        break;
    }
    publish();
}

void ApplicationMonitor::handle_info(Down const& down) {
    if (down.process != m_supervisor || m_is_stopping) {
        return;
    }
    log::error("the application keeps failing; it stays down (" + m_state.last_end + ")");
    m_state.status = ApplicationStatus::failed;
    publish();
}

void ApplicationMonitor::handle_info(Announce /*announce*/) {
    publish();
}

ApplicationState ApplicationMonitor::handle_call(GetState /*request*/) {
    return m_state;
}

/// The supervisor above the application is there by the time the application says anything.
void ApplicationMonitor::watch_supervisor() {
    auto const supervisor = whereis(name<SupervisorServer>(application_supervisor_name));
    if (supervisor && supervisor.pid() != m_supervisor) {
        m_supervisor = supervisor.pid();
        monitor(m_supervisor);
    }
}

void ApplicationMonitor::publish() {
    if (m_options.listener) {
        m_options.listener(m_state);
    }
}

} // namespace sinew::device
