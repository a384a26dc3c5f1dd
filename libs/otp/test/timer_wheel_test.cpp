// The wheel against a sorted list: order, slots opened ahead of their time, and when to look again.
#include "core/timer_wheel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

constexpr std::int64_t tick_ns = std::int64_t{1} << 16;
constexpr std::int64_t start_ns = 5'000'000'000;

/// Timers with their numbers, and what a sorted list says of them.
class Timers {
public:
    explicit Timers(TimerWheel& wheel)
        : m_wheel(wheel) {}
    TimerNode& add(std::int64_t due_ns) {
        TimerNode& node = m_nodes.emplace_back();
        node.due_ns = due_ns;
        node.sequence = m_nodes.size();
        m_wheel.add(node);
        m_armed.insert({due_ns, node.sequence});
        return node;
    }
    void remove(std::size_t position) {
        auto const at = std::next(m_armed.begin(), static_cast<std::ptrdiff_t>(position));
        m_wheel.remove(m_nodes[at->second - 1]);
        m_armed.erase(at);
    }
    /// Takes what is due of both; false when they differ.
    [[nodiscard]] bool agree_at(std::int64_t now_ns) {
        while (TimerNode const* const node = m_wheel.pop_due(now_ns)) {
            if (m_armed.empty() || *m_armed.begin() != std::pair(node->due_ns, node->sequence) ||
                node->due_ns > now_ns) {
                return false;
            }
            m_armed.erase(m_armed.begin());
        }
        return m_armed.empty() || m_armed.begin()->first > now_ns;
    }
    [[nodiscard]] std::size_t size() const noexcept { return m_armed.size(); }
    [[nodiscard]] std::int64_t first_due() const {
        return m_armed.empty() ? TimerWheel::never : m_armed.begin()->first;
    }

private:
    TimerWheel& m_wheel;
    std::deque<TimerNode> m_nodes;
    std::set<std::pair<std::int64_t, std::uint64_t>> m_armed;
};

RC_GTEST_PROP(TimerWheel, agrees_with_a_sorted_list, ()) {
    TimerWheel wheel(start_ns);
    Timers timers(wheel);
    std::int64_t now_ns = start_ns;
    auto const distance = [] {
        return (std::int64_t{1} << *rc::gen::inRange(0, 50)) - 1 + *rc::gen::inRange<std::int64_t>(0, 1000);
    };
    auto const steps = *rc::gen::inRange(0, 400);
    for (int step = 0; step < steps; ++step) {
        switch (*rc::gen::inRange(0, 6)) {
        case 0:
        case 1:
        case 2:
            timers.add(now_ns + distance());
            break;
        case 3:
            if (timers.size() > 0) {
                timers.remove(*rc::gen::inRange<std::size_t>(0, timers.size()));
            }
            break;
        case 4:
            wheel.prepare(*rc::gen::inRange<std::size_t>(1, 9));
            break;
        default:
            now_ns += distance();
            RC_ASSERT(timers.agree_at(now_ns));
        }
        RC_ASSERT(wheel.size() == timers.size());
        RC_ASSERT(wheel.next_due() <= timers.first_due());
    }
    // Who looks only when told to finds all of them.
    for (int looks = 0; timers.size() > 0 && looks < 100'000; ++looks) {
        now_ns = std::max(now_ns, wheel.next_due());
        RC_ASSERT(timers.agree_at(now_ns));
    }
    RC_ASSERT(timers.size() == 0U);
    RC_ASSERT(wheel.next_due() == TimerWheel::never);
}

TEST(TimerWheel, equal_times_fire_in_the_order_they_were_set) {
    TimerWheel wheel(start_ns);
    Timers timers(wheel);
    for (int i = 0; i < 5000; ++i) {
        timers.add(start_ns + 3'000'000'000);
    }
    while (wheel.prepare(7)) {
    }
    EXPECT_TRUE(timers.agree_at(start_ns + 2'999'999'999));
    EXPECT_EQ(timers.size(), 5000U);
    EXPECT_TRUE(timers.agree_at(start_ns + 3'000'000'000));
    EXPECT_EQ(timers.size(), 0U);
}

// A few are moved at each look; when the time of a coarse slot comes, none of it is left to be moved at once.
TEST(TimerWheel, slots_of_many_timers_are_open_before_their_time) {
    constexpr int count = 100'000;
    constexpr std::int64_t second_ns = 1'000'000'000;
    constexpr std::int64_t coarse_slot_ns = 64 * 64 * tick_ns;
    TimerWheel wheel(start_ns);
    Timers timers(wheel);
    for (int i = 0; i < count; ++i) {
        timers.add(start_ns + second_ns + i * (second_ns / count));
    }
    int boundaries = 0;
    for (std::int64_t now_ns = start_ns; now_ns < start_ns + 2 * second_ns; now_ns += second_ns / 10'000) {
        EXPECT_TRUE(timers.agree_at(now_ns));
        wheel.prepare(64);
        if (now_ns / coarse_slot_ns != (now_ns + second_ns / 10'000) / coarse_slot_ns) {
            ++boundaries;
            EXPECT_FALSE(wheel.prepare(1)) << "before " << now_ns;
        }
    }
    EXPECT_GE(boundaries, 7);
    EXPECT_TRUE(timers.agree_at(start_ns + 2 * second_ns));
    EXPECT_EQ(timers.size(), 0U);
}

// As when a process with many overdue timers moves to another worker.
TEST(TimerWheel, many_overdue_ones_in_any_order_fire_in_order) {
    constexpr std::size_t count = 1000;
    constexpr std::int64_t now_ns = 1'000'000'000;
    TimerWheel wheel(now_ns);
    std::vector<TimerNode> nodes(count);
    for (std::size_t i = 0; i < count; ++i) {
        nodes[i].due_ns = static_cast<std::int64_t>((i * 7919) % count);
        nodes[i].sequence = i;
        wheel.add(nodes[i]);
    }
    wheel.remove(nodes[count - 1]);
    std::int64_t last_ns = -1;
    std::size_t popped = 0;
    while (auto const* const node = wheel.pop_due(now_ns)) {
        EXPECT_GT(node->due_ns, last_ns);
        last_ns = node->due_ns;
        ++popped;
    }
    EXPECT_EQ(popped, count - 1);
}

TEST(TimerWheel, one_far_timer_is_looked_at_once) {
    TimerWheel wheel(start_ns);
    Timers timers(wheel);
    timers.add(start_ns + 3'600'000'000'123);
    EXPECT_EQ(wheel.next_due(), start_ns + 3'600'000'000'123);
    EXPECT_TRUE(timers.agree_at(start_ns + 3'600'000'000'122));
    EXPECT_EQ(wheel.next_due(), start_ns + 3'600'000'000'123);
}

} // namespace
} // namespace sinew::detail
