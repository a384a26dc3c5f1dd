// Timers of processes, in a simulation.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

TEST(DelayedSends, reach_another_process_or_whoever_has_the_name_then) {
    World world(Mode::simulation);
    Journal journal;
    auto const start = [&](std::string const& name) {
        return world.node()
            .start<Probe>({.name = name}, Probe::Options{.name = name, .journal = &journal})
            .value();
    };
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    (void)call(a, RunInside{[b](Probe&) {
                   sinew::send_after(1s, b, Note{"by pid"});
                   sinew::send_after(2s, name<Probe>("c"), Note{"by name"});
                   sinew::send_after(3s, name<Probe>("nobody"), Note{"never"});
                   cancel(sinew::send_after(4s, b, Note{"cancelled"}));
               }});
    (void)start("c");
    world.simulation().advance(1s - 1ns);
    EXPECT_THAT(journal.lines(), ::testing::IsEmpty());
    world.simulation().advance(10s);
    EXPECT_THAT(journal.lines(), ElementsAre("b: by pid", "c: by name"));
    (void)call(a, RunInside{[b](Probe&) { sinew::send_after(1s, b, Note{"of a dead one"}); }});
    exit(a, ExitReason::kill());
    world.simulation().advance(10s);
    EXPECT_THAT(journal.lines(), ::testing::SizeIs(2));
}

TEST_P(Timers, an_interval_comes_again_and_again_until_it_is_cancelled) {
    auto const a = start("a");
    Timer timer;
    in(a, [&timer](Probe& probe) { timer = probe.send_interval(2s, Note{"tick"}); });
    world.simulation().advance(2s - 1ns);
    EXPECT_THAT(lines(), IsEmpty());
    world.simulation().advance(1ns);
    EXPECT_THAT(lines(), ElementsAre("a: tick"));
    world.simulation().advance(4s);
    EXPECT_THAT(lines(), ElementsAre("a: tick", "a: tick", "a: tick"));
    in(a, [timer](Probe& probe) {
        probe.say(time_left(timer) == 2s ? "2 s left" : "another time left");
        probe.say(cancel(timer) ? "cancelled" : "it was gone");
        probe.say(cancel(timer) ? "cancelled twice" : "only once");
    });
    world.simulation().advance(10s);
    EXPECT_THAT(lines(),
                ElementsAre("a: tick", "a: tick", "a: tick", "a: 2 s left", "a: cancelled", "a: only once"));
}

TEST_P(Timers, an_interval_that_is_due_while_the_one_before_waits_is_left_out) {
    auto const a = start("a");
    in(a, [](Probe& probe) { (void)probe.send_interval(1s, Note{"tick"}); });
    auto const suspended = call(system_of(a), Suspend{});
    ASSERT_TRUE(suspended);
    world.simulation().advance(5500ms);
    EXPECT_THAT(lines(), IsEmpty());
    ASSERT_TRUE(call(system_of(a), Resume{}));
    EXPECT_THAT(lines(), ElementsAre("a: tick"));
    world.simulation().advance(500ms);
    EXPECT_THAT(lines(), ElementsAre("a: tick", "a: tick")) << "in step with the first";
}

TEST_P(Timers, an_interval_ends_with_its_process) {
    auto const a = start("a");
    in(a, [](Probe& probe) {
        (void)probe.send_interval(1s, Note{"tick"});
        probe.stop();
    });
    world.simulation().advance(5s);
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Timers, an_interval_of_no_time_is_a_bug) {
    auto const a = start("a");
    watch(a);
    in(a, [](Probe& probe) { (void)probe.send_interval(0s, Note{"tick"}); });
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("send_interval() wants a positive time")));
}

} // namespace
} // namespace sinew::testing
