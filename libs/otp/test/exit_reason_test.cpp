#include <sinew/base/result.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew {
namespace {

TEST(ExitReasons, read_as_text) {
    EXPECT_EQ(ExitReason().to_string(), "normal");
    EXPECT_EQ(ExitReason::shutdown().to_string(), "shutdown");
    EXPECT_EQ(ExitReason::shutdown("update").to_string(), "shutdown (update)");
    EXPECT_EQ(ExitReason::killed().to_string(), "killed");
    EXPECT_EQ(ExitReason::error("no bus", "io").to_string(), "io: no bus");
}

TEST(ExitReasons, compare_by_kind_type_and_text) {
    EXPECT_EQ(ExitReason::error("a"), ExitReason::error("a"));
    EXPECT_NE(ExitReason::error("a"), ExitReason::error("b"));
    EXPECT_NE(ExitReason::shutdown(), ExitReason::shutdown("b"));
    EXPECT_NE(ExitReason::kill(), ExitReason::killed());
}

TEST(ExitReasons, normal_and_shutdown_are_orderly) {
    EXPECT_TRUE(ExitReason::normal().is_orderly());
    EXPECT_TRUE(ExitReason::shutdown("why").is_orderly());
    EXPECT_FALSE(ExitReason::killed().is_orderly());
    EXPECT_FALSE(ExitReason::noproc().is_orderly());
    EXPECT_FALSE(ExitReason::error("x").is_orderly());
}

TEST(ExitReasons, errors_know_where_they_were_made) {
    EXPECT_THAT(std::string(ExitReason::error("x").origin()), ::testing::HasSubstr("exit_reason_test.cpp:"));
}

TEST(ExitReasons, of_a_failed_value_say_what_had_failed) {
    Result<int> const failed = failure(ErrorCode::not_found, "there is no lamp");
    try {
        (void)failed.value();
        FAIL();
    } catch (...) {
        ExitReason const reason = ExitReason::from_exception(std::current_exception(), "here");
        EXPECT_EQ(reason.to_string(), "value() of a failed Result: there is no lamp");
    }
}

TEST(ExitReasons, copies_share_and_outlive_each_other) {
    ExitReason copy;
    {
        ExitReason const original =
            ExitReason::from_exception(std::make_exception_ptr(std::out_of_range("deep")), "here");
        copy = original;
        ExitReason const moved = std::move(copy);
        copy = moved;
    }
    EXPECT_EQ(copy.text(), "deep");
    EXPECT_EQ(copy.type(), "std::out_of_range");
    EXPECT_EQ(copy.origin(), "here");
}

TEST(Pids, hold_slot_and_generation) {
    Pid const pid(5, 7);
    EXPECT_EQ(pid.index(), 5U);
    EXPECT_EQ(pid.generation(), 7U);
    EXPECT_EQ(Pid::from_value(pid.value()), pid);
    EXPECT_EQ(pid.to_string(), "<5.7>");
    EXPECT_FALSE(Pid());
}

} // namespace
} // namespace sinew
