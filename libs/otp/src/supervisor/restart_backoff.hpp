/// BackoffState: how long a supervisor waits before it restarts one child again.
///
/// Invariant: the wait doubles with each restart in a row, from `first` to `longest`; a child that lived
/// longer than `longest` starts over. Without a `first` there is no wait, as in OTP. Threading: a value.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/supervisor.hpp>

#include <algorithm>

namespace sinew::detail {

class BackoffState {
public:
    void started(MonotonicTime now) noexcept { m_started = now; }
    /// It ended, or failed to start, at `now`: how long to wait.
    [[nodiscard]] Duration next_wait(RestartBackoff const& backoff, MonotonicTime now) noexcept {
        if (backoff.first <= Duration(0)) {
            return Duration(0);
        }
        if (now - m_started > backoff.longest) {
            m_wait = Duration(0);
        }
        m_wait = m_wait == Duration(0) ? backoff.first : std::min(m_wait * 2, backoff.longest);
        return m_wait;
    }

private:
    MonotonicTime m_started{};
    Duration m_wait{0};
};

} // namespace sinew::detail
