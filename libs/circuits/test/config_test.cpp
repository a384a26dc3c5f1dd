// [circuits]: from TOML to a board.
#include <sinew/base/clock.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace sinew::circuits {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

CircuitsConfig config_of(std::string_view text) {
    auto config = from_toml<CircuitsConfig>(text, "config.toml");
    EXPECT_TRUE(config) << config.error().message();
    return std::move(config).value();
}

TEST(CircuitsConfigTest, an_empty_table_is_the_kernel) {
    ManualClock const clock;
    auto const board = make_board(config_of(""), clock);
    ASSERT_TRUE(board);
    EXPECT_NE(dynamic_cast<KernelBoard*>(board->get()), nullptr);
}

TEST(CircuitsConfigTest, a_host_run_gets_the_lines_its_aliases_speak_of) {
    ManualClock const clock;
    auto const board = make_board(config_of(R"(
        backend = "simulated"
        aliases = { LED0 = "cp2112_gpio:12", BUTTON = "GPIO17" }
    )"),
                                  clock);
    ASSERT_TRUE(board);
    EXPECT_TRUE((*board)->open_gpio("LED0", {.direction = Direction::output}));
    EXPECT_TRUE((*board)->open_gpio("cp2112_gpio:0"));
    EXPECT_TRUE((*board)->open_gpio("BUTTON"));
    EXPECT_EQ((*board)->open_gpio("LED1").error().code(), ErrorCode::not_found);
}

TEST(CircuitsConfigTest, chips_can_be_written_out) {
    ManualClock const clock;
    auto const board = make_board(config_of(R"(
        backend = "simulated"
        [[chips]]
        label = "soc"
        line_count = 2
        names = ["LED0", "LED1"]
        pairs = true
    )"),
                                  clock);
    ASSERT_TRUE(board);
    EXPECT_EQ((*board)->lines()->size(), 2U);
    EXPECT_EQ((*board)->find_line("LED1")->offset, 1U);
}

TEST(CircuitsConfigTest, without_anything_there_is_one_chip_of_eight_lines) {
    ManualClock const clock;
    auto const board = make_board(config_of(R"(backend = "simulated")"), clock);
    EXPECT_EQ((*board)->lines()->size(), 8U);
}

TEST(CircuitsConfigTest, simulated_chips_with_the_kernel_are_refused) {
    ManualClock const clock;
    auto const board = make_board(config_of("[[chips]]\nlabel = \"soc\""), clock);
    ASSERT_FALSE(board);
    EXPECT_THAT(board.error().message(), HasSubstr("set backend = \"simulated\""));
}

TEST(CircuitsConfigTest, a_wrong_backend_is_told_with_the_choices) {
    auto const config = from_toml<CircuitsConfig>("backend = \"gpiod\"", "config.toml");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message(), HasSubstr("config.toml:1"));
    EXPECT_THAT(config.error().message(), HasSubstr("simulated"));
}

TEST(CircuitsConfigTest, the_options_of_a_line_can_be_a_table) {
    auto const options =
        from_toml<GpioOptions>("bias = \"pull_up\"\nedges = \"falling\"\ndebounce = \"5ms\"", "config.toml");
    ASSERT_TRUE(options) << options.error().message();
    EXPECT_EQ(options->bias, Bias::pull_up);
    EXPECT_EQ(options->edges, Edges::falling);
    EXPECT_EQ(options->debounce, 5ms);
}

} // namespace
} // namespace sinew::circuits
