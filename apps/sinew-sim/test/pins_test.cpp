// Who drives a pin, and what level that makes.
#include "pins.hpp"

#include <sinew/base/result.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace sinew::sim {
namespace {

TEST(PinsTest, an_output_has_its_latch_and_an_input_floats_low) {
    Pins pins;
    pins.set_latches(0xff, 0x81);
    EXPECT_EQ(pins.levels(), 0x00);
    pins.set_directions(0x01);
    EXPECT_EQ(pins.levels(), 0x01);
    pins.set_directions(0x81);
    EXPECT_EQ(pins.levels(), 0x81);
}

TEST(PinsTest, only_the_latches_of_the_mask_change) {
    Pins pins;
    pins.set_directions(0xff);
    pins.set_latches(0xff, 0x0f);
    pins.set_latches(0x00, 0x03);
    EXPECT_EQ(pins.levels(), 0x0c);
}

TEST(PinsTest, the_outside_drives_inputs_and_lets_go) {
    Pins pins;
    ASSERT_TRUE(pins.drive(5, true));
    EXPECT_TRUE(pins.level(5));
    EXPECT_TRUE(pins.is_driven(5));
    ASSERT_TRUE(pins.drive(5, std::nullopt));
    EXPECT_FALSE(pins.level(5));
    EXPECT_FALSE(pins.is_driven(5));
}

TEST(PinsTest, driving_against_a_push_pull_output_is_refused) {
    Pins pins;
    pins.set_directions(0x10);
    EXPECT_EQ(pins.drive(4, true).error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(pins.drive(4, std::nullopt));
}

TEST(PinsTest, an_open_drain_output_pulls_down_or_lets_go) {
    Pins pins;
    pins.set_directions(0x01);
    pins.set_push_pull(0x00);
    pins.set_latches(0x01, 0x01);
    EXPECT_EQ(pins.levels(), 0x00);
    ASSERT_TRUE(pins.drive(0, true));
    EXPECT_EQ(pins.levels(), 0x01);
    pins.set_latches(0x00, 0x01);
    EXPECT_EQ(pins.levels(), 0x00);
}

TEST(PinsTest, paired_pins_share_a_level) {
    Pins pins(Wiring::pairs);
    pins.set_directions(0x01);
    pins.set_latches(0x01, 0x01);
    EXPECT_EQ(pins.levels(), 0x03);
    ASSERT_TRUE(pins.drive(7, true));
    EXPECT_EQ(pins.levels(), 0xc3);
    ASSERT_TRUE(pins.drive(1, false));
    EXPECT_EQ(pins.levels(), 0xc1);
}

} // namespace
} // namespace sinew::sim
