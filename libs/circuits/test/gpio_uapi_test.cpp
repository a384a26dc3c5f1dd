// The kernel's structures: which bits are set for which options, and what is read out of them.
#include "gpio_uapi.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/gpio.h>

#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <string>

namespace sinew::circuits::uapi {
namespace {

using namespace std::chrono_literals;

TEST(GpioUapiTest, input_options_become_flags) {
    auto const config =
        make_config({.bias = Bias::pull_up, .polarity = Polarity::active_low, .edges = Edges::both});
    EXPECT_EQ(config.flags, GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP |
                                GPIO_V2_LINE_FLAG_ACTIVE_LOW | GPIO_V2_LINE_FLAG_EDGE_RISING |
                                GPIO_V2_LINE_FLAG_EDGE_FALLING);
    EXPECT_EQ(config.num_attrs, 0U);
}

TEST(GpioUapiTest, each_option_has_its_flag) {
    EXPECT_EQ(make_config({.bias = Bias::disabled}).flags,
              GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_DISABLED);
    EXPECT_EQ(make_config({.bias = Bias::pull_down}).flags,
              GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN);
    EXPECT_EQ(make_config({.edges = Edges::rising}).flags,
              GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING);
    EXPECT_EQ(make_config({.edges = Edges::falling}).flags,
              GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_FALLING);
    EXPECT_EQ(make_config({.direction = Direction::output, .drive = Drive::open_drain}).flags,
              GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN);
    EXPECT_EQ(make_config({.direction = Direction::output, .drive = Drive::open_source}).flags,
              GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_SOURCE);
}

TEST(GpioUapiTest, the_first_value_and_the_debounce_are_attributes_of_line_zero) {
    auto const output = make_config({.direction = Direction::output, .initial_value = true});
    ASSERT_EQ(output.num_attrs, 1U);
    EXPECT_EQ(output.attrs[0].attr.id, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES);
    EXPECT_EQ(output.attrs[0].attr.values, 1U);
    EXPECT_EQ(output.attrs[0].mask, 1U);

    auto const input = make_config({.debounce = 5ms});
    ASSERT_EQ(input.num_attrs, 1U);
    EXPECT_EQ(input.attrs[0].attr.id, GPIO_V2_LINE_ATTR_ID_DEBOUNCE);
    EXPECT_EQ(input.attrs[0].attr.debounce_period_us, 5000U);
}

TEST(GpioUapiTest, a_long_consumer_is_cut_and_ends_with_zero) {
    auto const request = make_request(4, {.consumer = std::string(100, 'x')});
    EXPECT_EQ(std::string(static_cast<char const*>(request.consumer)), std::string(31, 'x'));
    EXPECT_EQ(request.offsets[0], 4U);
    EXPECT_EQ(request.num_lines, 1U);
    EXPECT_EQ(request.event_buffer_size, 0U);
    EXPECT_EQ(make_request(4, {.edges = Edges::both, .event_buffer = 100}).event_buffer_size, 100U);
}

TEST(GpioUapiTest, a_line_is_read_back_with_all_it_has) {
    gpio_v2_line_info info{};
    std::memcpy(static_cast<char*>(info.name), "GPIO17", 6);
    // A field that is full has no zero at its end.
    std::memset(static_cast<char*>(info.consumer), 'c', sizeof(info.consumer));
    info.offset = 17;
    info.flags = GPIO_V2_LINE_FLAG_USED | GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN |
                 GPIO_V2_LINE_FLAG_BIAS_PULL_UP | GPIO_V2_LINE_FLAG_ACTIVE_LOW;
    info.num_attrs = 1000; // More than there are: only those that exist are looked at.
    info.attrs[9].id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    info.attrs[9].debounce_period_us = 77;
    LineInfo const line =
        read_line_info(info, {.name = "gpiochip0", .label = "soc", .line_count = 54, .open_errno = 0});
    EXPECT_EQ(to_string(line), "gpiochip0:17 (GPIO17)");
    EXPECT_EQ(line.consumer, std::string(32, 'c'));
    EXPECT_TRUE(line.used);
    EXPECT_EQ(line.direction, Direction::output);
    EXPECT_EQ(line.drive, Drive::open_drain);
    EXPECT_EQ(line.bias, Bias::pull_up);
    EXPECT_EQ(line.polarity, Polarity::active_low);
    EXPECT_EQ(line.debounce, 77us);
}

TEST(GpioUapiTest, gaps_are_counted_also_when_the_numbers_wrap) {
    EdgeDecoder decoder;
    std::array<gpio_v2_line_event, 3> records{};
    records[0].id = GPIO_V2_LINE_EVENT_RISING_EDGE;
    records[0].line_seqno = 0xffffffff;
    records[1].id = 77;
    records[2].id = GPIO_V2_LINE_EVENT_FALLING_EDGE;
    records[2].line_seqno = 1;
    auto const bytes = std::as_bytes(std::span(records));
    auto const edges = decoder.decode(bytes);
    ASSERT_EQ(edges.size(), 2U);
    EXPECT_EQ(edges[0].missed, 0xfffffffeU);
    EXPECT_EQ(edges[1].missed, 1U);
    EXPECT_TRUE(decoder.decode(bytes.first(sizeof(gpio_v2_line_event) - 1)).empty());
}

} // namespace
} // namespace sinew::circuits::uapi
