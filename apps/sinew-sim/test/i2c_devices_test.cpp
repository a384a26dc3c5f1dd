// The EEPROM and the temperature sensor, as their datasheets have them.
#include "i2c_devices.hpp"

#include <sinew/base/bytes.hpp>

#include <gtest/gtest.h>

#include <initializer_list>

namespace sinew::sim {
namespace {

Bytes bytes(std::initializer_list<int> values) {
    Bytes made;
    for (int const value : values) {
        made.push_back(static_cast<std::byte>(value));
    }
    return made;
}

TEST(EepromTest, a_write_sets_the_pointer_and_a_read_goes_on_from_it) {
    Eeprom eeprom;
    EXPECT_TRUE(eeprom.write(bytes({0x10, 1, 2, 3})));
    EXPECT_TRUE(eeprom.write(bytes({0x11})));
    EXPECT_EQ(eeprom.read(1), bytes({2}));
    EXPECT_EQ(eeprom.read(2), bytes({3, 0}));
    EXPECT_TRUE(eeprom.write({}));
}

TEST(EepromTest, the_pointer_goes_round_the_end) {
    Eeprom eeprom;
    EXPECT_TRUE(eeprom.write(bytes({0xff, 7, 8})));
    EXPECT_TRUE(eeprom.write(bytes({0xff})));
    EXPECT_EQ(eeprom.read(2), bytes({7, 8}));
    EXPECT_EQ(eeprom.read(512).size(), 512U);
}

TEST(Tmp102Test, the_temperature_is_twelve_bits_left_justified) {
    // The datasheet's table: 25 °C is 0x190, -25 °C is 0xe70, 127.9375 °C is 0x7ff.
    Tmp102 sensor;
    EXPECT_EQ(sensor.read(2), bytes({0x19, 0x00}));
    sensor.set_celsius(-25);
    EXPECT_EQ(sensor.read(2), bytes({0xe7, 0x00}));
    EXPECT_EQ(sensor.celsius(), -25);
    sensor.set_celsius(500);
    EXPECT_EQ(sensor.read(2), bytes({0x7f, 0xf0}));
    sensor.set_celsius(21.53);
    EXPECT_EQ(sensor.celsius(), 21.5);
}

TEST(Tmp102Test, its_temperature_is_read_only_and_its_limits_are_not) {
    Tmp102 sensor;
    EXPECT_TRUE(sensor.write(bytes({0, 0x12, 0x34})));
    EXPECT_EQ(sensor.read(2), bytes({0x19, 0x00}));
    EXPECT_TRUE(sensor.write(bytes({3, 0x12, 0x34})));
    EXPECT_EQ(sensor.read(3), bytes({0x12, 0x34, 0x12}));
    EXPECT_TRUE(sensor.write({}));
}

} // namespace
} // namespace sinew::sim
