/// Errors carry a code, a message and an errno; TRY passes them up.
#include <sinew/base/result.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <expected>
#include <memory>
#include <string>
#include <utility>

namespace sinew {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) {
        return failure(ErrorCode::invalid_argument, std::to_string(number) + " is odd");
    }
    return number / 2;
}

Result<int> quarter(int number) {
    TRY(auto const once, half(number));
    TRY(auto const twice, half(once));
    return twice;
}

TEST(Result, try_passes_values_on_and_errors_up) {
    EXPECT_EQ(quarter(12).value(), 3);
    auto const failed = quarter(6);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(failed.error().message(), "3 is odd");
}

TEST(Result, context_goes_before_the_message_and_keeps_code_and_errno) {
    auto error = error_from_errno(ENOSPC, "can't write").with_context("saving");
    EXPECT_EQ(error.code(), ErrorCode::no_space);
    EXPECT_EQ(error.sys_errno(), ENOSPC);
    EXPECT_EQ(error.message(), "saving: can't write: No space left on device");
}

TEST(Result, an_error_knows_where_it_was_made) {
    auto const failed = half(1);
    ASSERT_FALSE(failed);
    EXPECT_NE(std::string(failed.error().where().file_name()).find("result_test.cpp"), std::string::npos);
}

TEST(Result, try_moves_values_that_cannot_be_copied) {
    auto const make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    auto const outer = [&]() -> Result<int> {
        TRY(auto pointer, make());
        return *pointer;
    };
    EXPECT_EQ(outer().value(), 7);
}

TEST(Result, value_of_a_variable_throws_what_went_wrong) {
    auto odd = half(3);
    auto const constant = half(5);
    EXPECT_THROW((void)odd.value(), std::bad_expected_access<Error>);
    EXPECT_EQ(odd.error().message(), "3 is odd") << "it is still there";
    try {
        (void)constant.value();
        FAIL();
    } catch (std::bad_expected_access<Error> const& thrown) {
        EXPECT_EQ(thrown.error().message(), "5 is odd");
    }
    auto even = half(8);
    EXPECT_EQ(even.value(), 4);
}

TEST(Result, an_error_is_copied_as_a_whole) {
    Error const first = error_from_errno(EBUSY, "the lamp");
    Error second = first;
    second = std::move(second).with_context("switching");
    EXPECT_EQ(first.message(), "the lamp: Device or resource busy");
    EXPECT_EQ(second.message(), "switching: the lamp: Device or resource busy");
    EXPECT_EQ(second.code(), first.code());
    second = first;
    EXPECT_EQ(second.message(), first.message());
}

TEST(Result, every_errno_class_has_a_code_to_branch_on) {
    EXPECT_EQ(error_from_errno(ENOENT, "x").code(), ErrorCode::not_found);
    EXPECT_EQ(error_from_errno(EACCES, "x").code(), ErrorCode::denied);
    EXPECT_EQ(error_from_errno(EBUSY, "x").code(), ErrorCode::unavailable);
    EXPECT_EQ(error_from_errno(ENOTTY, "x").code(), ErrorCode::unsupported);
    EXPECT_EQ(error_from_errno(EIO, "x").code(), ErrorCode::io);
    EXPECT_EQ(to_string(ErrorCode::timed_out), "timed_out");
}

} // namespace
} // namespace sinew
