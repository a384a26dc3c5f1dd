/// Implements Backoff.
///
#include <sinew/base/clock.hpp>
#include <sinew/device/backoff.hpp>

#include <algorithm>

namespace sinew::device {

Duration Backoff::next_delay(MonotonicTime now) {
    bool const is_first = !m_started || now - m_last_start >= m_options.forget_after;
    auto const delay = is_first ? Duration::zero() : m_next;
    m_next = is_first ? m_options.first : std::min(m_next * 2, m_options.longest);
    m_started = true;
    m_last_start = now + delay;
    return delay;
}

} // namespace sinew::device
