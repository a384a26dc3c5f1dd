// Monitors, against what real OTP was observed to do (the names follow its probes).
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Monitors : public WorldTest {};
SINEW_IN_BOTH_WORLDS(Monitors);

ExitReason boom() {
    return ExitReason::error("boom");
}

TEST_P(Monitors, monitoring_a_dead_process_is_down_with_noproc) {
    auto const a = start("a");
    ASSERT_TRUE(stop_and_wait(a));
    watch(a);
    EXPECT_THAT(lines(), ElementsAre("w: DOWN a noproc"));
}

TEST_P(Monitors, monitoring_the_empty_pid_of_a_free_name_is_down_with_noproc) {
    watch(whereis(name<Probe>("nobody")));
    EXPECT_THAT(lines(), ElementsAre("w: DOWN ? noproc"));
}

TEST_P(Monitors, monitors_stack) {
    auto const a = start("a");
    auto const b = start("b");
    in(b, [a](Probe&) {
        MonitorRef const first = monitor(a);
        EXPECT_NE(first, monitor(a));
    });
    in(a, [](Probe& probe) { probe.stop(); });
    EXPECT_THAT(lines(), ElementsAre("b: DOWN a normal", "b: DOWN a normal"));
}

TEST_P(Monitors, monitors_are_one_way) {
    auto const a = start("a");
    watch(a);
    auto const b = start("b");
    in(b, [a](Probe&) { monitor(a); });
    exit(b, boom());
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_TRUE(is_alive(a));
}

TEST_P(Monitors, demonitor_says_whether_it_was_armed_and_leaves_no_down) {
    auto const a = start("a");
    auto const b = start("b");
    in(b, [a](Probe&) {
        MonitorRef const ref = monitor(a);
        EXPECT_TRUE(demonitor(ref));
        EXPECT_FALSE(demonitor(ref));
    });
    exit(a, boom());
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Monitors, demonitor_takes_the_down_out_of_the_mailbox) {
    auto const b = start("b");
    auto const a = start("a");
    ASSERT_TRUE(stop_and_wait(a));
    in(b, [a](Probe&) { (void)demonitor(monitor(a)); });
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Monitors, a_monitor_on_itself_is_harmless) {
    auto const a = start("a");
    in(a, [](Probe&) { monitor(self()); });
    EXPECT_TRUE(stop_and_wait(a));
    EXPECT_THAT(lines(), IsEmpty());
}

} // namespace
} // namespace sinew::testing
