/// define-eval()'s arithmetic.
#include "script/expression.hpp"
#include "support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

std::int64_t value(std::string_view text) {
    return must(evaluate_expression(text));
}

TEST(Expression, precedence_is_the_usual_one) {
    EXPECT_EQ(value("1 + 2 * 3"), 7);
    EXPECT_EQ(value("(1 + 2) * 3"), 9);
    EXPECT_EQ(value("10 - 4 - 3"), 3);
    EXPECT_EQ(value("2 ^ 3 ^ 2"), 512);
    EXPECT_EQ(value("-2 * 3"), -6);
    EXPECT_EQ(value("-2 ^ 2"), -4);
    EXPECT_EQ(value("(-2) ^ 2"), 4);
    EXPECT_EQ(value("3 - -2 ^ 2"), 7);
    EXPECT_EQ(value("7 / 2"), 3);
}

TEST(Expression, numbers_take_prefixes_and_suffixes) {
    EXPECT_EQ(value("0x10 + 010 + 10"), 34);
    EXPECT_EQ(value("1c + 1w + 1b"), 515);
    EXPECT_EQ(value("1kB + 1K"), 2024);
    EXPECT_EQ(value("1MB / 1000"), 1000);
    EXPECT_EQ(value("1M / 512"), 2048);
    EXPECT_EQ(value("1G / 1M"), 1024);
    EXPECT_EQ(value("2GB"), 2'000'000'000);
    EXPECT_EQ(value("(1 + 2) K"), 3072);
    EXPECT_EQ(value("4Kb - 1"), 4 * 1024 * 512 - 1);
    EXPECT_EQ(value("2 ^ 1c\r\n"), 2);
}

TEST(Expression, overflow_and_division_by_zero_are_errors) {
    EXPECT_THAT(message_of(evaluate_expression("1 / 0")), HasSubstr("division by zero"));
    EXPECT_THAT(message_of(evaluate_expression("9223372036854775807 + 1")), HasSubstr("64 bits"));
    EXPECT_THAT(message_of(evaluate_expression("2 ^ 63")), HasSubstr("64 bits"));
    EXPECT_THAT(message_of(evaluate_expression("(0 - 9223372036854775807 - 1) / -1")), HasSubstr("64 bits"));
    EXPECT_EQ(value("1 ^ 1000000000000"), 1);
    EXPECT_EQ(value("(0-1) ^ 1000000000001"), -1);
}

TEST(Expression, an_error_names_the_character) {
    EXPECT_EQ(message_of(evaluate_expression("1 + x")),
              "can't evaluate '1 + x': expected a number at character 5");
    EXPECT_THAT(message_of(evaluate_expression("(1")), HasSubstr("')' is missing"));
    EXPECT_THAT(message_of(evaluate_expression("1 2")), HasSubstr("unexpected '2'"));
    EXPECT_FALSE(evaluate_expression(""));
    EXPECT_FALSE(evaluate_expression("0x-1"));
    EXPECT_FALSE(evaluate_expression(std::string(1000, '(')));
    EXPECT_FALSE(evaluate_expression(std::string(1000, '-') + "1"));
    EXPECT_FALSE(evaluate_expression("K"));
    EXPECT_THAT(message_of(evaluate_expression("1" + std::string(1000, 'G'))), HasSubstr("64 bits"));
}

} // namespace

} // namespace sinew::firmware::test
