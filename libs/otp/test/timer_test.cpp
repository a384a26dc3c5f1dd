// Timers of processes (in a simulation) and the wheel below them.
#include "timer_wheel.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Timers : public WorldTest {};
INSTANTIATE_TEST_SUITE_P(in, Timers, ::testing::Values(Mode::simulation), mode_name);

TEST_P(Timers, a_message_comes_exactly_when_it_is_due) {
    auto const a = start("a");
    in(a, [](Probe& probe) { probe.send_after(5s, Note{"now"}); });
    world.simulation().advance(5s - 1ns);
    EXPECT_THAT(lines(), IsEmpty());
    world.simulation().advance(1ns);
    EXPECT_THAT(lines(), ElementsAre("a: now"));
}

TEST_P(Timers, earlier_ones_come_first_and_equal_ones_in_the_order_they_were_set) {
    auto const a = start("a");
    in(a, [](Probe& probe) {
        probe.send_after(3ms, Note{"3"});
        probe.send_after(1ms, Note{"1a"});
        probe.send_after(2ms, Note{"2"});
        probe.send_after(1ms, Note{"1b"});
        probe.send_after(1ms + 1ns, Note{"1c"});
    });
    world.simulation().advance(1s);
    EXPECT_THAT(lines(), ElementsAre("a: 1a", "a: 1b", "a: 1c", "a: 2", "a: 3"));
}

TEST_P(Timers, a_delay_of_zero_comes_after_what_was_sent_before) {
    auto const a = start("a");
    in(a, [](Probe& probe) {
        probe.send_after(0ms, Note{"timer"});
        send(probe.self(), Note{"message"});
    });
    EXPECT_THAT(lines(), ElementsAre("a: message", "a: timer"));
}

TEST_P(Timers, cancel_returns_the_time_left_once) {
    auto const a = start("a");
    auto timer = std::make_shared<Timer>();
    in(a, [timer](Probe& probe) { *timer = probe.send_after(5s, Note{"never"}); });
    world.simulation().advance(2s);
    in(a, [timer](Probe&) {
        EXPECT_EQ(time_left(*timer), std::optional<Duration>(3s));
        EXPECT_TRUE(cancel(*timer));
        EXPECT_FALSE(cancel(*timer));
        EXPECT_EQ(time_left(*timer), std::nullopt);
    });
    world.simulation().advance(10s);
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Timers, cancelling_one_that_fired_does_nothing_to_the_next) {
    auto const a = start("a");
    auto timer = std::make_shared<Timer>();
    in(a, [timer](Probe& probe) { *timer = probe.send_after(1ms, Note{"first"}); });
    world.simulation().advance(1ms);
    in(a, [timer](Probe& probe) {
        probe.send_after(1ms, Note{"second"});
        EXPECT_FALSE(cancel(*timer));
    });
    world.simulation().advance(1ms);
    EXPECT_THAT(lines(), ElementsAre("a: first", "a: second"));
}

TEST_P(Timers, only_the_process_that_set_it_can_cancel) {
    auto const a = start("a");
    auto const b = start("b");
    auto timer = std::make_shared<Timer>();
    in(a, [timer](Probe& probe) { *timer = probe.send_after(1ms, Note{"mine"}); });
    in(b, [timer](Probe&) { EXPECT_FALSE(cancel(*timer)); });
    world.simulation().advance(1ms);
    EXPECT_THAT(lines(), ElementsAre("a: mine"));
}

TEST_P(Timers, timers_end_with_their_process) {
    auto const a = start("a");
    in(a, [](Probe& probe) { probe.send_after(1s, Note{"never"}); });
    exit(a, ExitReason::kill());
    world.simulation().advance(2s);
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Timers, a_year_of_a_blinking_light_is_quick) {
    struct Toggle {};
    struct Blinker : Server<Blinker> {
        void init() { send_after(1h, Toggle{}); }
        void handle_info(Toggle /*message*/) {
            ++toggles;
            send_after(1h, Toggle{});
        }
        int toggles = 0;
    };
    ASSERT_TRUE(world.node().start<Blinker>());
    world.simulation().advance(24h * 365);
    EXPECT_EQ(world.simulation().now().time_since_epoch(), 24h * 365 + 1s);
}

struct WheelNode : detail::TimerNode {
    bool is_due = false;
};

// The wheel against a sorted list: the same nodes in the same order at any moment, whatever is added and
// removed.
RC_GTEST_PROP(TimerWheel, agrees_with_a_sorted_list, ()) {
    std::int64_t now_ns = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 45);
    detail::TimerWheel wheel(now_ns);
    std::vector<std::unique_ptr<WheelNode>> nodes;
    std::vector<WheelNode*> model;
    std::uint64_t sequence = 1;
    auto const earlier = [](WheelNode const* a, WheelNode const* b) {
        return std::pair(a->due_ns, a->sequence) < std::pair(b->due_ns, b->sequence);
    };
    auto const steps = *rc::gen::container<std::vector<std::pair<int, std::int64_t>>>(
        rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange<std::int64_t>(0, 50)));
    for (auto const& [action, magnitude] : steps) {
        std::int64_t const span_ns =
            (std::int64_t{1} << magnitude) - 1 + *rc::gen::inRange<std::int64_t>(0, 1000);
        if (action <= 1) {
            nodes.push_back(std::make_unique<WheelNode>());
            nodes.back()->due_ns = now_ns + span_ns;
            nodes.back()->sequence = sequence++;
            wheel.add(*nodes.back());
            model.push_back(nodes.back().get());
        } else if (action == 2 && !model.empty()) {
            auto const at = static_cast<std::size_t>(magnitude) % model.size();
            wheel.remove(*model[at]);
            model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
        } else {
            now_ns += span_ns;
            std::ranges::sort(model, earlier);
            while (auto* const node = wheel.pop_due(now_ns)) {
                RC_ASSERT(!model.empty());
                RC_ASSERT(node == model.front());
                RC_ASSERT(node->due_ns <= now_ns);
                model.erase(model.begin());
            }
            bool const is_rest_later = model.empty() || model.front()->due_ns > now_ns;
            RC_ASSERT(is_rest_later);
        }
        RC_ASSERT(wheel.size() == model.size());
        std::int64_t first_ns = detail::TimerWheel::never;
        for (WheelNode const* const node : model) {
            first_ns = std::min(first_ns, node->due_ns);
        }
        RC_ASSERT(wheel.next_due() == first_ns);
    }
}

// As when a process with many overdue timers moves to another worker.
TEST(TimerWheel, many_overdue_ones_in_any_order_fire_in_order) {
    constexpr std::size_t count = 1000;
    constexpr std::int64_t now_ns = 1'000'000'000;
    detail::TimerWheel wheel(now_ns);
    std::vector<WheelNode> nodes(count);
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

} // namespace
} // namespace sinew::testing
