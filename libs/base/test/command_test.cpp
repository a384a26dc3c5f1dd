/// Other programs, run without a shell.
#include "sinew/base/result.hpp"

#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Command, output_error_output_and_status_are_kept_apart) {
    auto const result = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"}).value();
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.error_output, "err\n");
}

TEST(Command, arguments_reach_the_program_as_they_are) {
    auto const result = run_command({"printf", "%s|", "a b", "$HOME", "*"}).value();
    EXPECT_EQ(result.output, "a b|$HOME|*|");
}

TEST(Command, more_input_and_output_than_a_pipe_holds_does_not_block) {
    CommandOptions options;
    options.input = std::string(3'000'000, 'x');
    EXPECT_EQ(run_command({"cat"}, options).value().output, *options.input);
}

TEST(Command, a_program_that_does_not_read_its_input_is_no_error) {
    CommandOptions options;
    options.input = std::string(3'000'000, 'x');
    EXPECT_EQ(run_command({"true"}, options).value().status, 0);
}

TEST(Command, a_missing_program_is_named) {
    auto const failed = run_command({"no-such-program-here"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::not_found);
    EXPECT_EQ(failed.error().message(), "no program 'no-such-program-here' in PATH");
}

TEST(Command, a_program_that_takes_too_long_is_killed) {
    CommandOptions options;
    options.timeout = std::chrono::milliseconds(20);
    auto const failed = run_command({"sleep", "1000"}, options);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::timed_out);
}

TEST(Command, a_death_by_signal_is_128_and_the_signal) {
    EXPECT_EQ(run_command({"sh", "-c", "kill -9 $$"}).value().status, 137);
}

TEST(Command, environment_and_folder_are_those_asked_for) {
    auto const directory = TemporaryDirectory::create().value();
    CommandOptions options;
    options.working_directory = directory.path();
    options.environment = {{"SINEW_COMMAND_TEST", "yes"}, {"HOME", "/nowhere"}};
    auto const result = run_command({"sh", "-c", "echo $SINEW_COMMAND_TEST $HOME; pwd"}, options).value();
    EXPECT_EQ(result.output, "yes /nowhere\n" + directory.path().string() + "\n");
}

TEST(Command, lines_arrive_whole_and_the_last_needs_no_line_feed) {
    std::vector<std::string> lines;
    CommandOptions options;
    options.on_line = [&](std::string_view line) { lines.emplace_back(line); };
    ASSERT_TRUE(run_command({"printf", "one\ntwo\nthree"}, options));
    EXPECT_THAT(lines, ElementsAre("one", "two", "three"));
}

TEST(Command, a_checked_command_quotes_what_failed_and_what_it_said) {
    auto const failed = run_checked({"sh", "-c", "echo the disk is full >&2; exit 4"});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("failed with status 4: the disk is full"));
}

} // namespace
} // namespace sinew
