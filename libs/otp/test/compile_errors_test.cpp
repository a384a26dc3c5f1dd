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

std::size_t count_of(std::string const& text, std::string const& within) {
    std::size_t count = 0;
    for (std::size_t at = within.find(text); at != std::string::npos; at = within.find(text, at + 1)) {
        ++count;
    }
    return count;
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
    EXPECT_EQ(count_of("error: ", result.error_output), 1U) << result.error_output;
    // The line that is wrong, or for what is wrong in a class that one.
    EXPECT_THAT(result.error_output, HasSubstr("wrong.cpp:")) << result.error_output;
    EXPECT_LE(count_of("\n", result.error_output), 20U) << result.error_output;
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
                "this server has no public handle_call() for that request"},
        Mistake{14, "a_start_with_wrong_arguments",
                "this server has no public constructor that takes these arguments"},
        Mistake{15, "options_that_cannot_be_copied",
                "a child starts from a copy of its options each time: they must be copyable"},
        Mistake{16, "an_init_that_returns_something_else",
                "init() must return nothing, Result<>, Result<Start>, or sinew::Async of one of them"},
        Mistake{17, "a_message_that_cannot_be_moved", "a message must be movable"},
        Mistake{18, "a_cast_that_cannot_be_moved", "a message must be movable"},
        Mistake{19, "something_else_than_a_child_in_a_tree",
                "a tree's children are what child<Server>(...) or child(subtree, {.id = ...}) returns"},
        Mistake{20, "a_child_without_its_options",
                "this server has no public constructor that takes these options, or none without any"},
        Mistake{21, "a_childs_init_that_returns_something_else",
                "init() must return nothing, Result<>, Result<Start>, or sinew::Async of one of them"},
        Mistake{22, "a_linked_process_with_wrong_arguments",
                "this server has no public constructor that takes these arguments"},
        Mistake{23, "a_linked_start_with_wrong_arguments",
                "this server has no public constructor that takes these arguments"},
        Mistake{24, "an_interval_nobody_handles", "this server has no public handle_info() for that message"},
        Mistake{25, "an_option_that_is_not_there", "no matching function for call to"}),
    [](auto const& mistake) { return std::string(mistake.param.name); });

TEST(CompileErrorsOf, nothing_when_nothing_is_wrong) {
    CommandResult const result = compile(0);
    EXPECT_EQ(result.status, 0) << result.error_output;
}

} // namespace
} // namespace sinew::testing
