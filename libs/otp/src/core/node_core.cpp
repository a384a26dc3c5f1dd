#include "core/node_core.hpp"

#include <sinew/base/clock.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <stdexcept>

namespace sinew::detail {
namespace {

constinit std::array<std::atomic<NodeCore*>, node_index_limit> nodes{};

std::int64_t read_clock(clockid_t clock) noexcept {
    constexpr std::int64_t second_ns = 1'000'000'000;
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * second_ns + time.tv_nsec;
}

} // namespace

unsigned claim_node_index(NodeCore& core) {
    for (unsigned index = 0; index < node_index_limit; ++index) {
        NodeCore* expected = nullptr;
        if (nodes.at(index).compare_exchange_strong(expected, &core)) {
            return index;
        }
    }
    throw std::runtime_error("more than 64 nodes in one program");
}

void release_node_index(unsigned index) noexcept {
    nodes.at(index).store(nullptr, std::memory_order_release);
}

NodeCore* node_by_index(unsigned index) noexcept {
    return nodes.at(index).load(std::memory_order_acquire);
}

std::int64_t NodeCore::now_ns() const noexcept {
    return m_virtual_clock ? m_virtual_clock->now().time_since_epoch().count() : read_clock(CLOCK_MONOTONIC);
}

std::int64_t NodeCore::coarse_now_ns() const noexcept {
    return m_virtual_clock ? now_ns() : read_clock(CLOCK_MONOTONIC_COARSE);
}

} // namespace sinew::detail
