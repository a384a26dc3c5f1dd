#include "scheduler/give_back.hpp"

#include "core/block_pool.hpp"
#include "core/node_core.hpp"
#include "core/timer_wheel.hpp"
#include "core/worker.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace sinew::detail {
namespace {

/// Less isn't worth a wake-up.
constexpr std::size_t worth_bytes = std::size_t{1} << 20;
/// So long nobody has taken a chain: a burst that comes again and again keeps its memory.
constexpr std::int64_t quiet_ns = 1'000'000'000;
/// Then descriptors and timers have their turn.
constexpr int chains_per_step = 8;

std::size_t idle_bytes() noexcept {
    std::size_t sum = 0;
    for (std::size_t size_class = 0; size_class < block_classes; ++size_class) {
        sum += BlockDepot::of(size_class).idle_bytes();
    }
    return sum;
}

std::uint64_t takes() noexcept {
    std::uint64_t sum = 0;
    for (std::size_t size_class = 0; size_class < block_classes; ++size_class) {
        sum += BlockDepot::of(size_class).takes();
    }
    return sum;
}

bool trim_any() noexcept {
    for (std::size_t size_class = 0; size_class < block_classes; ++size_class) {
        if (BlockDepot::of(size_class).trim()) {
            return true;
        }
    }
    return false;
}

} // namespace

std::int64_t give_memory_back(Worker& worker) noexcept {
    Worker::MemoryWatch& watch = worker.memory_watch;
    std::uint64_t const taken = takes();
    std::int64_t now_ns = 0;
    if (taken != watch.takes) {
        now_ns = worker.core.now_ns();
        watch = {.takes = taken, .since_ns = now_ns};
    }
    if (!watch.is_giving && idle_bytes() < worth_bytes && !worker.blocks.has_excess()) {
        return TimerWheel::never;
    }
    now_ns = now_ns != 0 ? now_ns : worker.core.now_ns();
    if (now_ns - watch.since_ns < quiet_ns) {
        return watch.since_ns + quiet_ns;
    }
    if (!std::exchange(watch.is_giving, true)) {
        worker.blocks.flush();
    }
    for (int count = 0; count < chains_per_step && !worker.has_shared_work(std::memory_order_relaxed);
         ++count) {
        if (!trim_any()) {
            watch.is_giving = false;
            return TimerWheel::never;
        }
    }
    return now_ns;
}

} // namespace sinew::detail
