/// Clocks that are handed in, so that a test moves time itself and never sleeps.
///
/// Threading: SystemClock is safe from any thread; ManualClock too.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace sinew {

/// A length of time.
using Duration = std::chrono::nanoseconds;
/// A point of CLOCK_MONOTONIC: never steps, starts near boot.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// A point of CLOCK_REALTIME: what people call the time; may step.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// For people: "230 ms", "4.20 s", "42 s", "2 min 5 s", "1 d 1 h 0 min 3 s".
[[nodiscard]] std::string format_duration(Duration duration);

class Clock {
public:
    virtual ~Clock() = default;
    /// The monotonic time.
    [[nodiscard]] virtual MonotonicTime now() const noexcept = 0;
    /// The time of day.
    [[nodiscard]] virtual WallTime wall_now() const noexcept = 0;
};

/// The kernel's clocks (clock_gettime(2)).
class SystemClock final : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const noexcept override;
    [[nodiscard]] WallTime wall_now() const noexcept override;
};

/// A clock that stands still until advance() is called. Starts at one second past zero.
class ManualClock final : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const noexcept override {
        return MonotonicTime(Duration(m_now_ns.load()));
    }
    [[nodiscard]] WallTime wall_now() const noexcept override { return WallTime(Duration(m_now_ns.load())); }
    /// Moves both clocks forward by `step`, which is not negative.
    void advance(Duration step) noexcept { m_now_ns.fetch_add(step.count()); }

private:
    std::atomic<std::int64_t> m_now_ns{1'000'000'000};
};

} // namespace sinew
