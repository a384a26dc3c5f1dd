/// The kernel's clocks, and lengths of time in words.
#include <sinew/base/clock.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

namespace sinew {

namespace {

/// From the largest unit that there is any of on.
std::string format_whole_seconds(long long seconds) {
    struct Unit {
        long long seconds;
        char const* name;
    };
    std::string text;
    for (auto const& unit : {Unit{86'400, " d "}, Unit{3600, " h "}, Unit{60, " min "}}) {
        if (!text.empty() || seconds >= unit.seconds) {
            text += std::to_string(seconds / unit.seconds) + unit.name;
            seconds %= unit.seconds;
        }
    }
    return text + std::to_string(seconds) + " s";
}

} // namespace

std::string format_duration(Duration duration) {
    auto const whole = std::chrono::floor<std::chrono::seconds>(duration);
    double const seconds = std::chrono::duration<double>(duration).count();
    if (whole == duration || seconds >= 59.95) {
        return format_whole_seconds(std::llround(seconds));
    }
    std::array<char, 32> text{};
    if (seconds < 0.9995) {
        (void)std::snprintf(text.data(), text.size(), "%.0f ms", seconds * 1000);
    } else {
        (void)std::snprintf(text.data(), text.size(), "%.*f s", seconds < 9.995 ? 2 : 1, seconds);
    }
    return text.data();
}

MonotonicTime SystemClock::now() const noexcept {
    return std::chrono::steady_clock::now();
}
WallTime SystemClock::wall_now() const noexcept {
    return std::chrono::system_clock::now();
}

} // namespace sinew
