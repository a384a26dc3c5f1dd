/// Implements TrialGuard.
///
#include <sinew/base/result.hpp>
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/trial_guard.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace sinew::device {
namespace {

constexpr Duration retry_interval = std::chrono::seconds(2);

} // namespace

TrialGuard::TrialGuard(Options options)
    : m_options(std::move(options)) {}

void TrialGuard::init() {
    m_is_pending = m_options.trial == Trial::pending;
    m_is_validated = !m_is_pending;
    if (m_is_pending) {
        send_after(m_options.limits.deadline, Deadline{});
        log::notice("this firmware is on trial");
    }
    if (m_options.trial == Trial::rolled_back) {
        validate();
    }
    if (m_options.ask_for_news) {
        m_options.ask_for_news();
    }
}

void TrialGuard::handle_info(ApplicationState const& state) {
    if (!m_is_pending) {
        return;
    }
    if (state.status == ApplicationStatus::failed) {
        give_up("the application keeps failing: it " + state.last_end);
        return;
    }
    bool const runs = state.status == ApplicationStatus::running;
    if (runs && state.pid != m_running_pid) {
        send_after(m_options.limits.stable_for, StableFor{++m_life});
    }
    m_running_pid = runs ? state.pid : 0;
}

void TrialGuard::handle_info(StableFor stable) {
    if (m_is_pending && m_running_pid != 0 && stable.life == m_life) {
        m_is_good = true;
        validate();
    }
}

void TrialGuard::handle_info(Deadline /*deadline*/) {
    if (m_is_pending) {
        give_up(m_is_good ? "the firmware could not be validated in its time"
                          : "the application was not up and ready in its time");
    }
}

void TrialGuard::handle_info(RetryValidation /*retry*/) {
    if (m_is_pending) {
        validate();
    }
}

void TrialGuard::handle_info(Announce /*announce*/) {
    if (m_is_validated && m_options.on_validated) {
        m_options.on_validated();
    }
}

bool TrialGuard::handle_call(IsValidated /*request*/) {
    return m_is_validated;
}

void TrialGuard::validate() {
    if (m_is_validating) {
        return;
    }
    m_is_validating = true;
    blocking(m_options.validate).then([this](Result<> const& result) { validation_done(result); });
}

void TrialGuard::validation_done(Result<> const& result) {
    m_is_validating = false;
    if (!result) {
        log::error("can't validate the running slot: " + result.error().message());
        if (m_is_pending) {
            send_after(retry_interval, RetryValidation{});
        }
        return;
    }
    if (m_is_pending) {
        m_is_pending = false;
        m_is_validated = true;
        log::notice("this firmware is validated");
        if (m_options.on_validated) {
            m_options.on_validated();
        }
    }
}

void TrialGuard::give_up(std::string const& why) {
    m_is_pending = false;
    log::error("back to the old firmware: " + why);
    run_in_background_or_here([reboot = m_options.reboot, why] { reboot(why); });
}

} // namespace sinew::device
