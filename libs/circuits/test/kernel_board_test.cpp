// KernelBoard against a kernel in memory: finding lines, what it asks the kernel for, what it makes of each
// errno. The real kernel answers in test/system/test_gpio_guest.py.
#include "fake_gpio_kernel.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits.hpp>
#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/gpio.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sinew::circuits {
namespace {

using ::testing::HasSubstr;

class KernelBoardTest : public ::testing::Test {
protected:
    KernelBoardTest() {
        kernel->chips = {
            {.name = "gpiochip0", .label = "pinctrl-bcm2711", .lines = std::vector<testing::FakeLine>(3)},
            {.name = "gpiochip21", .label = "cp2112_gpio", .lines = std::vector<testing::FakeLine>(8)},
        };
        kernel->chips[0].lines[0].name = "ID_SDA";
        kernel->chips[0].lines[1].name = "GPIO17";
        kernel->chips[0].lines[2].name = "DUP";
        kernel->chips[1].lines[5].name = "DUP";
    }

    std::shared_ptr<testing::FakeGpioKernel> kernel = std::make_shared<testing::FakeGpioKernel>();
    KernelBoard board{{{"LED0", "cp2112_gpio:4"}}, kernel};
};

TEST_F(KernelBoardTest, a_line_is_found_by_name_label_chip_or_alias) {
    EXPECT_EQ(board.find_line("GPIO17")->offset, 1U);
    EXPECT_EQ(board.find_line("cp2112_gpio:7")->chip, "gpiochip21");
    EXPECT_EQ(board.find_line("gpiochip21:3")->offset, 3U);
    EXPECT_EQ(board.find_line("LED0")->offset, 4U);
}

TEST_F(KernelBoardTest, a_name_that_does_not_exist_is_answered_with_those_that_do) {
    auto const found = board.open_gpio("LED9");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::not_found);
    EXPECT_EQ(found.error().message(),
              "there is no GPIO line 'LED9'; chips: gpiochip0 (pinctrl-bcm2711, lines 0 to 2), gpiochip21 "
              "(cp2112_gpio, "
              "lines 0 to 7); names: ID_SDA, GPIO17, DUP, DUP. Write CHIP:OFFSET, or set [circuits] aliases");
}

TEST_F(KernelBoardTest, an_offset_beyond_the_chip_is_not_found) {
    auto const found = board.open_gpio("cp2112_gpio:8");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::not_found);
    EXPECT_THAT(found.error().message(), HasSubstr("lines 0 to 7"));
}

TEST_F(KernelBoardTest, an_alias_that_leads_nowhere_is_shown_with_its_target) {
    KernelBoard wrong({{"LED0", "cp2112_gpio:9"}}, kernel);
    EXPECT_THAT(wrong.open_gpio("LED0").error().message(), HasSubstr("'LED0' = 'cp2112_gpio:9'"));
}

TEST_F(KernelBoardTest, a_name_on_two_chips_is_ambiguous) {
    auto const found = board.open_gpio("DUP");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(found.error().message(), HasSubstr("gpiochip0:2, gpiochip21:5"));
}

TEST_F(KernelBoardTest, two_chips_of_one_label_are_ambiguous) {
    kernel->chips.push_back(
        {.name = "gpiochip22", .label = "cp2112_gpio", .lines = std::vector<testing::FakeLine>(8)});
    auto const found = board.open_gpio("cp2112_gpio:4");
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message(), HasSubstr("gpiochip21:4, gpiochip22:4"));
    EXPECT_TRUE(board.open_gpio("gpiochip22:4"));
}

TEST_F(KernelBoardTest, a_line_name_may_look_like_chip_and_offset) {
    kernel->chips[0].lines[0].name = "PCIE:1";
    EXPECT_EQ(board.find_line("PCIE:1")->chip, "gpiochip0");
}

TEST_F(KernelBoardTest, a_held_line_names_its_holder) {
    kernel->chips[1].lines[4].consumer = "status-led";
    kernel->chips[1].lines[4].flags = GPIO_V2_LINE_FLAG_USED;
    auto const opened = board.open_gpio("LED0");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(opened.error().sys_errno(), EBUSY);
    EXPECT_THAT(opened.error().message(), HasSubstr("gpiochip21:4 is held by 'status-led'"));
}

/// Closing it takes a while, as the driver's polls go first; its process isn't held up.
TEST_F(KernelBoardTest, a_line_of_a_cp2112_can_be_opened_again_at_once) {
    struct Holder : Server<Holder> {
        explicit Holder(KernelBoard& from)
            : m_board(&from) {}
        Result<> init() {
            for (int i = 0; i < 3; ++i) {
                TRY(auto line, m_board->open_gpio("LED0"));
            }
            return {};
        }
        KernelBoard* m_board;
    };
    kernel->one_holder_a_line = true;
    Node node({.workers = 1});
    auto const started = node.start<Holder>({}, std::ref(board));
    EXPECT_TRUE(started) << started.error().message();
}

TEST_F(KernelBoardTest, a_kernel_without_chips_is_told_apart_from_a_missing_line) {
    kernel->chips.clear();
    auto const opened = board.open_gpio("LED0");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(opened.error().message(), HasSubstr("/dev/gpiochip*"));
}

TEST_F(KernelBoardTest, a_chip_without_permission_is_denied) {
    kernel->chips[0].open_errno = EACCES;
    kernel->chips[1].open_errno = EACCES;
    auto const by_chip = board.open_gpio("gpiochip21:1");
    ASSERT_FALSE(by_chip);
    EXPECT_EQ(by_chip.error().code(), ErrorCode::denied);
    auto const by_name = board.open_gpio("GPIO17");
    ASSERT_FALSE(by_name);
    EXPECT_EQ(by_name.error().code(), ErrorCode::denied);
    EXPECT_THAT(by_name.error().message(), HasSubstr("Permission denied; run as root"));
}

TEST_F(KernelBoardTest, one_chip_without_permission_does_not_hide_the_others) {
    kernel->chips[0].open_errno = EACCES;
    EXPECT_TRUE(board.open_gpio("LED0"));
    auto const missing = board.open_gpio("GPIO17");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message(), HasSubstr("gpiochip0 (can't be opened: Permission denied)"));
}

TEST_F(KernelBoardTest, an_output_is_requested_with_its_first_value_in_one_step) {
    auto const opened =
        board.open_gpio("LED0", {.direction = Direction::output, .initial_value = true, .consumer = "led"});
    ASSERT_TRUE(opened);
    EXPECT_EQ(kernel->last_request.offsets[0], 4U);
    EXPECT_EQ(kernel->last_request.config.flags, GPIO_V2_LINE_FLAG_OUTPUT);
    EXPECT_STREQ(static_cast<char const*>(kernel->last_request.consumer), "led");
    EXPECT_TRUE(kernel->chips[1].lines[4].value);
}

TEST_F(KernelBoardTest, values_are_written_and_read) {
    auto led = board.open_gpio("LED0", {.direction = Direction::output});
    ASSERT_TRUE(led);
    EXPECT_TRUE(led->write(true));
    EXPECT_TRUE(kernel->chips[1].lines[4].value);
    EXPECT_EQ(led->read().value(), true);
}

TEST_F(KernelBoardTest, writing_an_input_is_refused_before_the_kernel_is_asked) {
    auto button = board.open_gpio("gpiochip21:1");
    ASSERT_TRUE(button);
    kernel->line_errno = EIO;
    auto const written = button->write(true);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(written.error().message(), HasSubstr("opened as an input"));
}

TEST_F(KernelBoardTest, a_line_turns_from_input_to_output_while_held) {
    auto line = board.open_gpio("gpiochip21:1");
    ASSERT_TRUE(line);
    ASSERT_TRUE(line->configure({.direction = Direction::output}));
    EXPECT_EQ(kernel->chips[1].lines[1].config.flags, GPIO_V2_LINE_FLAG_OUTPUT);
    EXPECT_TRUE(line->write(true));
}

TEST_F(KernelBoardTest, a_refused_change_leaves_the_line_as_it_was) {
    auto line = board.open_gpio("gpiochip21:1");
    ASSERT_TRUE(line);
    kernel->line_errno = EINVAL;
    EXPECT_EQ(line->configure({.direction = Direction::output}).error().code(), ErrorCode::unsupported);
    EXPECT_EQ(line->options().direction, Direction::input);
}

TEST_F(KernelBoardTest, edges_come_with_time_number_and_what_was_lost) {
    auto button = board.open_gpio("gpiochip21:1", {.edges = Edges::both});
    ASSERT_TRUE(button);
    EXPECT_GE(button->edge_descriptor(), 0);
    EXPECT_TRUE(button->read_edges()->empty());
    gpio_v2_line_event record{};
    record.timestamp_ns = 1000;
    record.id = GPIO_V2_LINE_EVENT_RISING_EDGE;
    record.line_seqno = 1;
    kernel->events.push_back(record);
    record.timestamp_ns = 9000;
    record.id = GPIO_V2_LINE_EVENT_FALLING_EDGE;
    record.line_seqno = 5;
    kernel->events.push_back(record);
    auto const edges = button->read_edges();
    ASSERT_TRUE(edges);
    EXPECT_THAT(*edges, ::testing::ElementsAre(EdgeEvent{true, MonotonicTime(Duration(1000)), 1, 0},
                                               EdgeEvent{false, MonotonicTime(Duration(9000)), 5, 3}));
}

TEST_F(KernelBoardTest, reading_edges_that_were_not_asked_for_is_refused) {
    auto button = board.open_gpio("gpiochip21:1");
    ASSERT_TRUE(button);
    EXPECT_EQ(button->edge_descriptor(), -1);
    EXPECT_EQ(button->read_edges().error().code(), ErrorCode::invalid_argument);
}

TEST_F(KernelBoardTest, a_chip_that_is_pulled_out_is_named_as_such) {
    auto button = board.open_gpio("gpiochip21:1", {.edges = Edges::both});
    ASSERT_TRUE(button);
    kernel->line_errno = ENODEV;
    kernel->read_errno = ENODEV;
    EXPECT_EQ(button->read().error().code(), ErrorCode::unavailable);
    EXPECT_EQ(button->read_edges().error().code(), ErrorCode::unavailable);
    EXPECT_THAT(button->read().error().message(), HasSubstr("its chip is gone"));
}

gpio_v2_line_event raw_edge(std::uint32_t kind, std::uint64_t time_ns, std::uint32_t sequence) {
    gpio_v2_line_event record{};
    record.timestamp_ns = time_ns;
    record.id = kind;
    record.line_seqno = sequence;
    return record;
}

TEST_F(KernelBoardTest, the_kernel_debounces_where_it_can) {
    auto const opened =
        board.open_gpio("LED0", {.edges = Edges::rising, .debounce = std::chrono::milliseconds(5)});
    ASSERT_TRUE(opened);
    EXPECT_EQ(kernel->last_request.config.attrs[0].attr.debounce_period_us, 5000U);
}

TEST_F(KernelBoardTest, a_line_that_the_kernel_can_not_debounce_is_debounced_here) {
    kernel->lacks_debounce = true;
    auto button = board.open_gpio("LED0", {.edges = Edges::rising, .debounce = std::chrono::milliseconds(5)});
    ASSERT_TRUE(button) << button.error().message();
    EXPECT_EQ(kernel->last_request.config.num_attrs, 0U);
    // Long ago by the real clock. A bounce of 1 ms, then a press that lasted.
    kernel->events = {raw_edge(GPIO_V2_LINE_EVENT_RISING_EDGE, 1'000'000, 1),
                      raw_edge(GPIO_V2_LINE_EVENT_FALLING_EDGE, 2'000'000, 2),
                      raw_edge(GPIO_V2_LINE_EVENT_RISING_EDGE, 3'000'000, 3)};
    EXPECT_TRUE(button->read().value());
    EXPECT_THAT(*button->read_edges(),
                ::testing::ElementsAre(EdgeEvent{true, MonotonicTime(Duration(8'000'000)), 1, 0}));
    EXPECT_TRUE(button->read_edges()->empty());
}

TEST_F(KernelBoardTest, debounce_can_be_turned_on_and_off_while_held) {
    kernel->lacks_debounce = true;
    auto button = board.open_gpio("LED0", {.edges = Edges::both});
    ASSERT_TRUE(button);
    ASSERT_TRUE(button->configure({.edges = Edges::both, .debounce = std::chrono::seconds(4000)}));
    kernel->chips[1].lines[4].value = true;
    EXPECT_FALSE(button->read().value());
    ASSERT_TRUE(button->configure({.edges = Edges::both}));
    EXPECT_TRUE(button->read().value());
}

struct RequestErrno {
    int sys_errno;
    ErrorCode code;
    std::string text;
};

class KernelBoardRefusalTest : public KernelBoardTest, public ::testing::WithParamInterface<RequestErrno> {};

TEST_P(KernelBoardRefusalTest, a_refusal_says_what_to_do) {
    kernel->request_errno = GetParam().sys_errno;
    auto const opened = board.open_gpio("LED0", {.edges = Edges::both});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), GetParam().code);
    EXPECT_THAT(opened.error().message(), HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(Errnos, KernelBoardRefusalTest,
                         ::testing::Values(RequestErrno{ENXIO, ErrorCode::unsupported, "no interrupt"},
                                           RequestErrno{ENOTTY, ErrorCode::unsupported, "Linux 5.10"},
                                           RequestErrno{EINVAL, ErrorCode::unsupported, "input, edges"},
                                           RequestErrno{524, ErrorCode::unsupported, "does not support"},
                                           RequestErrno{EPERM, ErrorCode::denied, "/dev/gpiochip21"},
                                           RequestErrno{ENODEV, ErrorCode::unavailable, "chip is gone"}));

} // namespace
} // namespace sinew::circuits
