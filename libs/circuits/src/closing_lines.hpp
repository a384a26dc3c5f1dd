/// ClosingLines: lines of one kernel that this program no longer uses and that aren't free yet.
///
/// hid-cp2112 of Linux 6.1 sleeps with a spin lock held, and may hang the processor, if a line stops reporting
/// edges in the middle of the driver's poll. Its lines are therefore closed by a thread that everybody else goes
/// before: with one processor it doesn't begin before a poll that goes on is over. That takes its time, so it is
/// done on the blocking pool, and whoever opens the same line at once waits for it.
/// Threading: safe from any thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace sinew::circuits {

/// Runs `action` in a thread that everybody else goes before, and waits for it.
void run_after_all_others(std::function<void()> const& action);

class ClosingLines {
public:
    /// The chip's name and the line's offset.
    using Key = std::pair<std::string, std::uint32_t>;
    /// `limit`: how long wait_for() waits at most.
    explicit ClosingLines(Duration limit = std::chrono::seconds(1))
        : m_limit(limit) {}
    /// Closes `descriptor`: on the blocking pool where there is one, else before this returns.
    static void close(std::shared_ptr<ClosingLines> const& lines, Key line, FileDescriptor descriptor);
    /// Returns when `line` isn't being closed, or when the limit is over.
    void wait_for(Key const& line);

private:
    Duration m_limit;
    std::mutex m_mutex;
    std::condition_variable m_one_is_closed;
    std::multiset<Key> m_lines;
};

} // namespace sinew::circuits
