// See debouncer.hpp.
#include "debouncer.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace sinew::circuits {

void Debouncer::add(EdgeEvent const& raw) {
    settle(raw.timestamp);
    if (raw.value == m_value) {
        m_changed_at.reset();
    } else if (!m_changed_at || raw.missed > 0) {
        m_changed_at = raw.timestamp;
    }
}

std::optional<MonotonicTime> Debouncer::due() const noexcept {
    if (!m_changed_at) {
        return std::nullopt;
    }
    return *m_changed_at + m_period;
}

std::vector<EdgeEvent> Debouncer::take(MonotonicTime now) {
    settle(now);
    return std::exchange(m_settled, {});
}

void Debouncer::settle(MonotonicTime now) {
    auto const end = due();
    if (!end || now < *end) {
        return;
    }
    m_changed_at.reset();
    m_value = !m_value;
    if (m_edges == Edges::both || m_edges == (m_value ? Edges::rising : Edges::falling)) {
        m_settled.push_back({.value = m_value, .timestamp = *end, .sequence = ++m_sequence, .missed = 0});
    }
}

} // namespace sinew::circuits
