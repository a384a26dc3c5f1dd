/// Host names from a pattern.
#include "hostname.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sinew::init {
namespace {

TEST(Hostname, s_is_the_whole_serial_number) {
    EXPECT_EQ(format_hostname("dev-%s", "12ab34"), "dev-12ab34");
}

TEST(Hostname, a_number_takes_so_many_from_the_left_or_the_right) {
    EXPECT_EQ(format_hostname("sinew-%.4s", "525400123456"), "sinew-5254");
    EXPECT_EQ(format_hostname("sinew-%-.4s", "525400123456"), "sinew-3456");
    EXPECT_EQ(format_hostname("%-s-%.3s", "abcdef"), "abcdef-abc");
}

TEST(Hostname, a_short_serial_number_is_taken_whole) {
    EXPECT_EQ(format_hostname("x%-.4s", "7"), "x7");
}

TEST(Hostname, what_a_name_cannot_hold_is_replaced_or_dropped) {
    EXPECT_EQ(format_hostname("My Sensor_%s", "AB:01/é"), "my-sensor-ab01");
    EXPECT_EQ(format_hostname("-%s-", "x"), "x");
    EXPECT_EQ(format_hostname("...%s", "--"), "sinew");
}

TEST(Hostname, an_unknown_conversion_is_left_out) {
    EXPECT_EQ(format_hostname("a%db%%c", "1"), "abc");
    EXPECT_EQ(format_hostname("a%", "1"), "a");
    EXPECT_EQ(format_hostname("a%-", "1"), "a");
    EXPECT_EQ(format_hostname("a%.s", "1"), "as");
    EXPECT_EQ(format_hostname("a%.99999999999999999999s", "1"), "a99999999999999999999s");
}

TEST(Hostname, a_label_has_63_characters_at_most_and_no_dash_at_its_end) {
    EXPECT_EQ(format_hostname("%s", std::string(100, 'a')), std::string(63, 'a'));
    EXPECT_EQ(format_hostname(std::string(62, 'a') + "-b", ""), std::string(62, 'a'));
}

TEST(Hostname, without_any_usable_character_there_is_a_name_still) {
    EXPECT_EQ(format_hostname("", ""), "sinew");
    EXPECT_EQ(format_hostname("%s", "???"), "sinew");
}

} // namespace
} // namespace sinew::init
