/// Implements Heart.
///
#include <sinew/base/result.hpp>
#include <sinew/device/heart.hpp>
#include <sinew/otp.hpp>

#include <utility>

namespace sinew::device {

Heart::Heart(Options options)
    : m_options(std::move(options)) {}

void Heart::init() {
    auto const linked = links();
    m_supervisor = linked.empty() ? SupervisorRef() : SupervisorRef(linked.front());
    m_started = now();
    m_last_beat_of_pid_1 = m_started;
    pet();
    send_after(m_options.timeout / 3, Beat{});
}

void Heart::handle_info(Beat /*beat*/) {
    auto const interval = m_options.timeout / 3;
    send_after(interval, Beat{});
    if (m_is_stopped || !pid_1_lives()) {
        return;
    }
    if (!m_supervisor) {
        pet();
        return;
    }
    request(m_supervisor, CountChildren{}, interval).then([this](Result<ChildCounts> const& answer) {
        hear(answer.has_value());
    });
}

void Heart::handle_info(Stop /*stop*/) {
    m_is_stopped = true;
}

bool Heart::pid_1_lives() {
    if (!m_options.pid_1_has_beaten) {
        return true;
    }
    if (m_options.pid_1_has_beaten()) {
        m_last_beat_of_pid_1 = now();
    }
    if (now() - m_last_beat_of_pid_1 < m_options.pid_1_limit) {
        return true;
    }
    log::error("PID 1 doesn't live; the watchdog isn't petted");
    return false;
}

void Heart::hear(bool has_answered) {
    m_was_answered = m_was_answered || has_answered;
    bool const is_starting = !m_was_answered && now() - m_started < m_options.startup_limit;
    if (m_is_stopped) {
        return;
    }
    if (has_answered || is_starting) {
        pet();
        return;
    }
    log::error("the supervision tree doesn't answer; the watchdog isn't petted");
}

void Heart::pet() {
    if (!m_options.pet) {
        return;
    }
    if (auto result = m_options.pet(); !result) {
        log::warning("can't pet the watchdog: " + result.error().message());
    }
}

} // namespace sinew::device
