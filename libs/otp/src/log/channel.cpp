#include "log/channel.hpp"

#include "core/node_core.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/log_handler.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::log {

Channel::Channel(Recipient<Handler::Wake> handler, Level level, OverloadLimits limits)
    : m_handler(std::move(handler))
    , m_node(current_node())
    , m_level(level)
    , m_limits(limits)
    , m_window_began(now()) {}

MonotonicTime Channel::now() const {
    return MonotonicTime(Duration(m_node.core().now_ns()));
}

bool Channel::fits(MonotonicTime at) noexcept {
    if (at - m_window_began >= m_limits.burst_period) {
        m_window_began = at;
        m_in_window = 0;
    }
    if (m_in_window >= m_limits.burst || m_waiting.size() >= m_limits.queue) {
        return false;
    }
    ++m_in_window;
    return true;
}

bool Channel::offer(RecordPointer const& record) {
    Event const& event = record->event();
    if (event.level < m_level || (event.process && event.process == m_handler.pid())) {
        return true;
    }
    bool was_kept = true;
    {
        std::lock_guard const lock(m_mutex);
        if (m_is_closed) {
            return true;
        }
        if (fits(now())) {
            m_waiting.push_back(record);
        } else {
            ++m_dropped;
            was_kept = false;
        }
        if (std::exchange(m_is_woken, true)) {
            return was_kept;
        }
    }
    m_handler.send(Handler::Wake{});
    return was_kept;
}

void Channel::add_drop_notice(std::vector<RecordPointer>& records) {
    std::string const text =
        std::to_string(std::exchange(m_dropped, 0)) + " log events were dropped: there were too many";
    WallTime const time = records.empty() ? SystemClock().wall_now() : records.back()->event().time;
    Event const notice{
        .level = Level::warning, .time = time, .process = m_handler.pid(), .label = "log", .text = text};
    records.push_back(std::make_shared<Record const>(notice));
}

Channel::Batch Channel::take() {
    std::lock_guard const lock(m_mutex);
    Batch batch;
    m_is_woken = false;
    batch.records.swap(m_waiting);
    if (m_dropped != 0) {
        MonotonicTime const at = now();
        if (!m_last_notice || at - *m_last_notice >= m_limits.burst_period) {
            m_last_notice = at;
            add_drop_notice(batch.records);
        } else {
            batch.look_again_after = m_limits.burst_period - (at - *m_last_notice);
        }
    }
    return batch;
}

std::vector<RecordPointer> Channel::close() {
    std::lock_guard const lock(m_mutex);
    m_is_closed = true;
    std::vector<RecordPointer> records;
    records.swap(m_waiting);
    if (m_dropped != 0) {
        add_drop_notice(records);
    }
    return records;
}

} // namespace sinew::log
