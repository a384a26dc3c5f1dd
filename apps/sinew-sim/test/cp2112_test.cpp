// The chip's reports, byte for byte as the kernel's driver exchanges them.
#include "cp2112.hpp"
#include "i2c_devices.hpp"
#include "pins.hpp"

#include <sinew/base/bytes.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinew::sim {
namespace {

Bytes bytes(std::initializer_list<int> values) {
    Bytes made;
    for (int const value : values) {
        made.push_back(static_cast<std::byte>(value));
    }
    return made;
}

class Cp2112Test : public ::testing::Test {
protected:
    Pins pins;
    Cp2112 chip{pins, {{0x50, std::make_shared<Eeprom>()}}};

    /// The start of the one report that answers `report`.
    std::string answer(std::initializer_list<int> report, std::size_t shown_bytes) {
        auto const answers = chip.output(bytes(report));
        if (answers.size() != 1 || answers.front().size() != Cp2112::report_size) {
            return "not one whole report";
        }
        return to_hex(BytesView(answers.front()).first(shown_bytes));
    }
    std::string status() { return answer({0x15, 0x01}, 7); }
};

TEST_F(Cp2112Test, the_driver_finds_a_chip_of_version_two) {
    EXPECT_EQ(chip.get_feature(0x05), bytes({0x05, 0x0c, 0x02}));
    EXPECT_EQ(to_hex(*chip.get_feature(0x06)), "06000186a0020000000000000001");
    EXPECT_EQ(chip.get_feature(0x20), bytes({0x20, 0x00}));
    EXPECT_EQ(to_hex(*chip.get_feature(0x21)), "21c41090ea3200010000");
}

TEST_F(Cp2112Test, strings_are_utf16_with_their_length) {
    auto const report = chip.get_feature(0x22);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->size(), 62U);
    EXPECT_EQ(to_hex(BytesView(*report).first(13)), "220c03530069006e0065007700");
    EXPECT_TRUE(chip.get_feature(0x23));
    EXPECT_TRUE(chip.get_feature(0x24));
}

TEST_F(Cp2112Test, the_gpio_reports_set_directions_and_levels) {
    EXPECT_EQ(chip.get_feature(0x02), bytes({0x02, 0x00, 0xff, 0x00, 0x00}));
    // What the driver does to make line 4 a high output.
    EXPECT_TRUE(chip.set_feature(bytes({0x02, 0x10, 0xff, 0x00, 0x00})));
    EXPECT_TRUE(chip.set_feature(bytes({0x04, 0xff, 0x10})));
    EXPECT_EQ(chip.get_feature(0x03), bytes({0x03, 0x10}));
    EXPECT_TRUE(chip.set_feature(bytes({0x04, 0x00, 0x10})));
    EXPECT_EQ(chip.get_feature(0x03), bytes({0x03, 0x00}));
    EXPECT_EQ(chip.get_feature(0x02), bytes({0x02, 0x10, 0xff, 0x00, 0x00}));
}

TEST_F(Cp2112Test, settings_that_are_written_are_read_back) {
    Bytes config = *chip.get_feature(0x06);
    config[13] = std::byte{5};
    EXPECT_TRUE(chip.set_feature(config));
    EXPECT_EQ(chip.get_feature(0x06), config);
}

TEST_F(Cp2112Test, a_written_eeprom_is_read_back) {
    EXPECT_TRUE(chip.output(bytes({0x14, 0xa0, 0x04, 0x10, 0x01, 0x02, 0x03})).empty());
    EXPECT_EQ(status(), "16020500000004"); // Complete, success, no retries, four bytes.
    EXPECT_TRUE(chip.output(bytes({0x11, 0xa0, 0x00, 0x03, 0x01, 0x10})).empty());
    EXPECT_EQ(status(), "16020500000003");
    EXPECT_EQ(answer({0x12, 0x00, 0x03}, 6), "130203010203");
    EXPECT_EQ(answer({0x12, 0x00, 0x03}, 3), "130200");
}

TEST_F(Cp2112Test, a_long_read_comes_in_reports_of_sixty_one_bytes) {
    EXPECT_TRUE(chip.output(bytes({0x10, 0xa0, 0x00, 0x64})).empty());
    EXPECT_EQ(answer({0x12, 0x00, 0x3d}, 3), "13023d");
    EXPECT_EQ(answer({0x12, 0x00, 0x3d}, 3), "130227");
}

TEST_F(Cp2112Test, an_address_that_nobody_has_is_not_acknowledged) {
    EXPECT_TRUE(chip.output(bytes({0x10, 0x20, 0x00, 0x01})).empty());
    EXPECT_EQ(status(), "16030000000000");
    EXPECT_TRUE(chip.output(bytes({0x11, 0x20, 0x00, 0x01, 0x01, 0x00})).empty());
    EXPECT_EQ(status(), "16030000000000");
}

TEST_F(Cp2112Test, a_cancelled_transfer_leaves_nothing) {
    EXPECT_TRUE(chip.output(bytes({0x10, 0xa0, 0x00, 0x10})).empty());
    EXPECT_TRUE(chip.output(bytes({0x17, 0x01})).empty());
    EXPECT_EQ(status(), "16000000000000");
    EXPECT_EQ(answer({0x12, 0x00, 0x10}, 3), "130000");
}

TEST_F(Cp2112Test, reports_that_are_too_short_or_unknown_change_nothing) {
    for (auto const& report : {bytes({}), bytes({0x02}), bytes({0x02, 1, 2, 3}), bytes({0x04, 0xff}),
                               bytes({0x06, 1}), bytes({0x05, 1, 2}), bytes({0x77, 1, 2, 3, 4, 5})}) {
        EXPECT_FALSE(chip.set_feature(report));
    }
    for (auto const& report :
         {bytes({}), bytes({0x10}), bytes({0x10, 0xa0, 0x00}), bytes({0x11, 0xa0, 0, 1}),
          bytes({0x11, 0xa0, 0, 1, 2, 0}), bytes({0x11, 0xa0, 0, 1, 17}), bytes({0x12, 0x00}),
          bytes({0x14, 0xa0, 62}), bytes({0x14, 0xa0, 3, 1, 2}), bytes({0x99, 1, 2, 3})}) {
        EXPECT_TRUE(chip.output(report).empty());
    }
    EXPECT_EQ(status(), "16000000000000");
    EXPECT_FALSE(chip.get_feature(0x01));
    EXPECT_FALSE(chip.get_feature(0xff));
}

TEST_F(Cp2112Test, a_read_of_no_or_too_many_bytes_is_an_error) {
    EXPECT_TRUE(chip.output(bytes({0x10, 0xa0, 0x02, 0x01})).empty());
    EXPECT_EQ(status(), "16030000000000");
    EXPECT_TRUE(chip.output(bytes({0x10, 0xa0, 0x00, 0x00})).empty());
    EXPECT_EQ(status(), "16030000000000");
}

TEST_F(Cp2112Test, the_descriptor_declares_every_report_with_its_size) {
    Bytes const descriptor = Cp2112::report_descriptor();
    std::string const hex = to_hex(descriptor);
    EXPECT_TRUE(hex.starts_with("0600ff0901a101"));
    EXPECT_TRUE(hex.ends_with("c0"));
    // Report number, usage, range, 8 bits; count; feature, output or input.
    EXPECT_NE(hex.find("850309011500"
                       "26ff007508"
                       "9501b102"),
              std::string::npos);
    EXPECT_NE(hex.find("850609011500"
                       "26ff007508"
                       "950db102"),
              std::string::npos);
    EXPECT_NE(hex.find("851409011500"
                       "26ff007508"
                       "953f9102"),
              std::string::npos);
    EXPECT_NE(hex.find("851609011500"
                       "26ff007508"
                       "953f8102"),
              std::string::npos);
}

} // namespace
} // namespace sinew::sim
