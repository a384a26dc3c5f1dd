#include "world.hpp"

#include <sinew/base/value.hpp>
#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Log, a_line_has_time_level_process_label_and_text) {
    log::Event const event{.level = log::Level::warning,
                           .time =
                               WallTime(std::chrono::seconds(1'700'000'000) + std::chrono::milliseconds(42)),
                           .process = Pid(3, 1),
                           .label = "Led",
                           .text = "too dark"};
    EXPECT_EQ(log::format(event), "2023-11-14 22:13:20.042 [warning] <3.1> Led: too dark");
}

TEST(Log, bytes_that_are_not_utf8_do_not_reach_a_line) {
    log::Event const event{.text = "serial \xff", .fields = {{"name", Value(std::string("\xc3("))}}};
    EXPECT_THAT(log::format(event), HasSubstr("serial \uFFFD name=\uFFFD("));
    EXPECT_THAT(log::format_json_line(event),
                HasSubstr("\"text\":\"serial \uFFFD\",\"fields\":{\"name\":\"\uFFFD(\"}"));
}

TEST(Log, lines_of_a_process_carry_its_label) {
    Simulation simulation;
    spawn([] {
        set_label("night watch");
        log::info("all is well");
    });
    simulation.run_until_settled();
    EXPECT_THAT(simulation.log_lines(), ElementsAre(HasSubstr("night watch: all is well")));
}

TEST(Log, an_unexpected_down_is_dropped_with_a_line) {
    Simulation simulation;
    class Quiet : public Server<Quiet> {
    public:
        void init() { monitor(Pid()); }
    };
    ASSERT_TRUE(simulation.node().start<Quiet>());
    simulation.run_until_settled();
    EXPECT_TRUE(simulation.has_logged("dropped a Down message (noproc)"));
}

TEST(Log, orderly_ends_make_no_report) {
    Simulation simulation;
    spawn([] { exit_self(ExitReason::shutdown("enough")); });
    spawn([] {});
    simulation.run_until_settled();
    EXPECT_TRUE(simulation.log_lines().empty());
}

} // namespace
} // namespace sinew::testing
