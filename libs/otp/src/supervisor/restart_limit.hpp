/// RestartLimit: counts a supervisor's restarts the way OTP does: those that lie within `period`.
///
/// Invariant: exceeded exactly when more than `intensity` restarts lie within `period`, its ends included.
/// Each restart is added once and dropped once. Threading: a value.
#pragma once

#include <sinew/base/clock.hpp>

#include <deque>

namespace sinew::detail {

class RestartLimit {
public:
    RestartLimit(unsigned intensity, Duration period)
        : m_intensity(intensity)
        , m_period(period) {}

    /// Counts a restart at `now`. False: that was one too many.
    [[nodiscard]] bool add(MonotonicTime now) {
        m_stamps.push_back(now);
        while (now - m_stamps.front() > m_period) {
            m_stamps.pop_front();
        }
        return m_stamps.size() <= m_intensity;
    }

private:
    unsigned m_intensity;
    Duration m_period;
    std::deque<MonotonicTime> m_stamps;
};

} // namespace sinew::detail
