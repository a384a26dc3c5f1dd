/// Channel: the bounded queue between a Logger and one handler process.
///
/// Invariant: the handler has at most one Wake under way; what does not fit is counted, never kept.
/// Threading: any thread offers; the handler takes.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/log_handler.hpp>
#include <sinew/otp/logger.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace sinew::log {

class Channel {
public:
    Channel(Recipient<Handler::Wake> handler, Level level, OverloadLimits limits);
    /// False: it was dropped. Never blocks for longer than a few instructions of the others.
    bool offer(RecordPointer const& record);

    struct Batch {
        std::vector<RecordPointer> records;
        /// Events were dropped, and it is too early to say so again: look again after this time.
        std::optional<Duration> look_again_after;
    };
    /// Everything that waits, with a record about what was dropped.
    [[nodiscard]] Batch take();
    /// The same for the last time: what is offered from now on is ignored.
    [[nodiscard]] std::vector<RecordPointer> close();

private:
    [[nodiscard]] MonotonicTime now() const;
    [[nodiscard]] bool fits(MonotonicTime at) noexcept;
    void add_drop_notice(std::vector<RecordPointer>& records);

    Recipient<Handler::Wake> m_handler;
    Node& m_node;
    Level m_level;
    OverloadLimits m_limits;
    std::mutex m_mutex;
    std::vector<RecordPointer> m_waiting;
    std::uint64_t m_dropped = 0;
    MonotonicTime m_window_began;
    std::size_t m_in_window = 0;
    std::optional<MonotonicTime> m_last_notice;
    bool m_is_woken = false;
    bool m_is_closed = false;
};

} // namespace sinew::log
