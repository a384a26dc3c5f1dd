/// The kernel's clocks.
#include <sinew/base/clock.hpp>

#include <chrono>

namespace sinew {

MonotonicTime SystemClock::now() const noexcept {
    return std::chrono::steady_clock::now();
}
WallTime SystemClock::wall_now() const noexcept {
    return std::chrono::system_clock::now();
}

} // namespace sinew
