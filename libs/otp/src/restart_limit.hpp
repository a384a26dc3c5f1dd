/// RestartLimit: counts a supervisor's restarts the way OTP does, in a ring of intensity + 1 stamps.
///
/// Invariant: exceeded exactly when more than `intensity` restarts lie within `period`, its ends included.
/// Threading: a value.
#pragma once

#include <sinew/base/clock.hpp>

#include <cstddef>
#include <vector>

namespace sinew::detail {

class RestartLimit {
public:
    RestartLimit(unsigned intensity, Duration period)
        : m_period(period)
        , m_stamps(std::size_t{intensity} + 1) {}

    /// Counts a restart at `now`. False: that was one too many.
    [[nodiscard]] bool add(MonotonicTime now) {
        m_stamps[m_next] = now;
        m_next = (m_next + 1) % m_stamps.size();
        if (m_count < m_stamps.size()) {
            ++m_count;
        }
        // The ring is full and its oldest stamp, the one written next, is young.
        return m_count < m_stamps.size() || now - m_stamps[m_next] > m_period;
    }

private:
    Duration m_period;
    std::vector<MonotonicTime> m_stamps;
    std::size_t m_next = 0;
    std::size_t m_count = 0;
};

} // namespace sinew::detail
