/// Implements TrialGuard.
///
#include <sinew/base/result.hpp>
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/trial_guard.hpp>
#include <sinew/otp.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace sinew::device {
namespace {

constexpr Duration retry_interval = std::chrono::seconds(2);
constexpr Duration ask_again_interval = std::chrono::seconds(5);
constexpr int most_reboots_asked = 12;

} // namespace

TrialGuard::TrialGuard(Options options)
    : m_options(std::move(options)) {}

void TrialGuard::init() {
    m_is_pending = m_options.trial == Trial::pending;
    m_is_validated = !m_is_pending;
    if (m_is_pending) {
        send_after(m_options.limits.deadline, Deadline{});
        log::notice("this firmware is on trial");
        look();
    }
    if (m_options.trial == Trial::rolled_back) {
        validate();
    }
    if (m_options.ask_for_news) {
        m_options.ask_for_news();
    }
}

void TrialGuard::handle_info(ApplicationState const& state) {
    bool const runs = state.status == ApplicationStatus::running;
    bool const is_another = runs && state.pid != m_running_pid;
    m_running_pid = runs ? state.pid : 0;
    if (is_another) {
        m_all_held = false; // Its time begins anew, also when its end went unseen.
    }
    bool const has_failed = state.status == ApplicationStatus::failed;
    std::string detail = has_failed ? "it keeps failing: it " : "it isn't up and ready";
    if (!state.last_end.empty()) {
        detail += has_failed ? state.last_end : "; it last " + state.last_end;
    }
    handle_info(TrialCondition{
        .name = "application", .holds = runs, .detail = std::move(detail), .is_final = has_failed});
}

void TrialGuard::handle_info(TrialCondition condition) {
    auto const known = std::ranges::find(m_options.conditions, condition.name, &TrialCondition::name);
    if (known != m_options.conditions.end()) {
        *known = std::move(condition);
        look();
    }
}

void TrialGuard::handle_info(StableFor stable) {
    if (m_is_pending && m_all_held && stable.time == m_times) {
        m_is_good = true;
        validate();
    }
}

void TrialGuard::handle_info(Deadline /*deadline*/) {
    if (m_is_pending) {
        give_up(m_is_good ? "the firmware could not be validated in its time"
                          : "not in its time: " + what_is_missing(Missing::now));
    }
}

void TrialGuard::handle_info(AskAgain /*again*/) {
    if (m_reboots_asked >= most_reboots_asked && m_options.force_reboot) {
        log::error("PID 1 doesn't reboot; rebooting without it");
        run_in_background_or_here(m_options.force_reboot);
    }
    ++m_reboots_asked;
    run_in_background_or_here([reboot = m_options.reboot, why = m_why_rebooting] { reboot(why); });
    send_after(ask_again_interval, AskAgain{});
}

bool TrialGuard::all_hold() const {
    return std::ranges::all_of(m_options.conditions, &TrialCondition::holds);
}

std::string TrialGuard::what_is_missing(Missing which) const {
    std::string text;
    for (auto const& condition : m_options.conditions) {
        if (!condition.holds && (which == Missing::now || condition.is_final)) {
            text += (text.empty() ? "" : "; ") + condition.name + ": " + condition.detail;
        }
    }
    return text.empty() ? "all conditions hold, but not for long enough" : text;
}

/// After every change.
void TrialGuard::look() {
    if (!m_is_pending) {
        return;
    }
    if (std::ranges::any_of(m_options.conditions, [](auto const& it) { return !it.holds && it.is_final; })) {
        give_up(what_is_missing(Missing::for_good));
        return;
    }
    bool const hold = all_hold();
    if (hold && !m_all_held) {
        send_after(m_options.limits.stable_for, StableFor{++m_times});
    }
    m_all_held = hold;
}

void TrialGuard::handle_info(RetryValidation /*retry*/) {
    if (m_is_pending && m_all_held) {
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
    m_why_rebooting = why;
    log::error("back to the old firmware: " + why);
    if (m_options.on_given_up) {
        m_options.on_given_up();
    }
    handle_info(AskAgain{});
}

} // namespace sinew::device
