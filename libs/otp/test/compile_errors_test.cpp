// A wrong message does not compile, and the first error says in a sentence what is missing.
#include <sinew/base/command.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::HasSubstr;

CommandResult compile(int mistake) {
    std::vector<std::string> command{OTP_COMPILER,      "-std=c++23",
                                     "-fsyntax-only",   "-I" OTP_INCLUDE,
                                     "-I" BASE_INCLUDE, "-DMISTAKE=" + std::to_string(mistake),
                                     OTP_WRONG};
    CommandOptions options;
    options.timeout = std::chrono::minutes(3);
    return run_command(command, options).value();
}

std::string first_error(std::string const& output) {
    std::size_t const at = output.find("error: ");
    return at == std::string::npos ? output : output.substr(at, output.find('\n', at) - at);
}

struct Mistake {
    int number;
    char const* name;
    char const* sentence;
};

class CompileErrors : public ::testing::TestWithParam<Mistake> {};

TEST_P(CompileErrors, say_first_what_is_missing) {
    CommandResult const result = compile(GetParam().number);
    ASSERT_NE(result.status, 0);
    std::string const error = first_error(result.error_output);
    EXPECT_THAT(error, HasSubstr(GetParam().sentence)) << result.error_output;
    EXPECT_LT(error.size(), 160U) << error;
}

INSTANTIATE_TEST_SUITE_P(
    of, CompileErrors,
    ::testing::Values(
        Mistake{1, "a_call_without_a_reply",
                "a call's request names its answer: struct R { using Reply = ...; };"},
        Mistake{2, "a_call_nobody_handles", "this server has no public handle_call() for that request"},
        Mistake{3, "a_cast_nobody_handles", "this server has no public handle_cast() for that message"},
        Mistake{4, "an_info_nobody_handles", "this server has no public handle_info() for that message"},
        Mistake{5, "a_timer_nobody_handles", "this server has no public handle_info() for that message"},
        Mistake{6, "an_idle_timeout_nobody_handles",
                "this server has no public handle_info() for IdleTimeout"},
        Mistake{7, "a_continuation_nobody_handles",
                "this server has no public handle_info() for that message"},
        Mistake{8, "a_reply_of_the_wrong_type",
                "handle_call() must return the request's Reply, or sinew::Async of it"},
        Mistake{9, "an_inserted_event_nobody_handles",
                "this state machine has no public on_internal() for that message"},
        Mistake{10, "a_request_without_a_reply",
                "a call's request names its answer: struct R { using Reply = ...; };"},
        Mistake{11, "a_received_message_that_cannot_come",
                "this conversation does not take that message: add it to Conversation<..., Messages...>"},
        Mistake{12, "a_message_a_conversation_does_not_take",
                "this server has no public handle_info() for that message"},
        Mistake{13, "a_call_a_conversation_does_not_take",
                "this server has no public handle_call() for that request"}),
    [](auto const& mistake) { return std::string(mistake.param.name); });

TEST(CompileErrorsOf, nothing_when_nothing_is_wrong) {
    CommandResult const result = compile(0);
    EXPECT_EQ(result.status, 0) << result.error_output;
}

} // namespace
} // namespace sinew::testing
