/// How long to wait before a program that keeps ending is started again.
///
/// Invariant: the first start never waits; a life of at least `forget_after` makes the next start a first
/// one. Threading: one process at a time: it outlives the lives of one supervised child, and is shared
/// between them.
#pragma once

#include <sinew/base/clock.hpp>

#include <chrono>

namespace sinew::device {

struct BackoffOptions {
    Duration first = std::chrono::milliseconds(500);
    /// Each wait is twice the one before, up to this.
    Duration longest = std::chrono::seconds(30);
    Duration forget_after = std::chrono::seconds(60);
};

class Backoff {
public:
    explicit Backoff(BackoffOptions options = {})
        : m_options(options) {}

    /// Call it at each start: how long to wait first.
    [[nodiscard]] Duration next_delay(MonotonicTime now);

private:
    BackoffOptions m_options;
    bool m_started = false;
    MonotonicTime m_last_start;
    Duration m_next{};
};

} // namespace sinew::device
