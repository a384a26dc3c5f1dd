/// Other programs, run without a shell.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Of a process that runs; readable when it has ended.
FileDescriptor watch(std::string_view pid) {
    return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(std::string(pid)), 0)));
}

bool ends(FileDescriptor const& watched) {
    pollfd entry{.fd = watched.get(), .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, -1) == 1;
}

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

TEST(Command, one_that_closes_its_outputs_is_held_to_its_time_too) {
    CommandOptions options;
    options.timeout = 100ms;
    auto const failed = run_command({"sh", "-c", "exec >&- 2>&-; sleep 3600"}, options);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::timed_out);
}

TEST(Command, with_the_program_all_it_started_is_killed_at_the_timeout) {
    FileDescriptor grandchild;
    CommandOptions options;
    options.on_line = [&](std::string_view line) { grandchild = watch(line); };
    // A busy machine may need more time until the line is there.
    for (options.timeout = 100ms; !grandchild; options.timeout = 2 * *options.timeout) {
        auto const failed = run_command({"sh", "-c", "sleep 3600 & echo $!; wait"}, options);
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code(), ErrorCode::timed_out);
    }
    EXPECT_TRUE(ends(grandchild));
}

TEST(Command, asked_to_end_at_the_timeout_it_can_do_so_in_order) {
    auto const folder = TemporaryDirectory::create().value();
    CommandOptions options;
    options.working_directory = folder.path();
    options.end_grace = 1h;
    std::string const script = "trap 'touch told; exit' TERM; touch up; while :; do sleep 3600 & wait; done";
    for (options.timeout = 100ms; !std::filesystem::exists(folder.path() / "up");
         options.timeout = 2 * *options.timeout) {
        EXPECT_FALSE(run_command({"sh", "-c", script}, options));
    }
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "told"));
}

TEST(Command, somebody_left_behind_with_its_output_does_not_hold_the_caller) {
    FileDescriptor grandchild;
    CommandOptions options;
    options.drain_limit = 0ms;
    options.group = ProcessGroup::own;
    options.on_line = [&](std::string_view line) { grandchild = watch(line); };
    auto const result = run_command({"sh", "-c", "sleep 3600 & echo $!; exit 3"}, options).value();
    EXPECT_EQ(result.status, 3);
    ASSERT_TRUE(grandchild) << "what was said before the end is read";
    EXPECT_TRUE(ends(grandchild));
}

TEST(Command, not_even_one_that_left_its_group) {
    CommandOptions options;
    options.drain_limit = 0ms;
    options.timeout = 1h;
    auto const result = run_command({"sh", "-c", "setsid sleep 3600 & echo $!"}, options).value();
    EXPECT_EQ(result.status, 0);
    ::kill(std::stoi(result.output), SIGKILL);
}

TEST(Command, an_endless_line_comes_in_pieces_of_bounded_length) {
    std::size_t longest = 0;
    std::size_t total = 0;
    CommandOptions options;
    options.output_limit_bytes = 1000;
    options.on_line = [&](std::string_view line) {
        longest = std::max(longest, line.size());
        total += line.size();
    };
    auto const result = run_command({"sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"}, options).value();
    EXPECT_EQ(longest, 64U << 10);
    EXPECT_EQ(total, 1'000'000U);
    EXPECT_EQ(result.output, std::string(1000, 'x'));
}

TEST(Command, an_interrupted_call_elsewhere_is_not_taken_for_one_of_its_own) {
    CommandOptions options;
    options.on_line = [](std::string_view) { errno = EINTR; };
    EXPECT_EQ(run_command({"echo", "one"}, options).value().output, "one\n");
}

TEST(Command, input_can_be_read_piece_by_piece) {
    int pieces = 0;
    CommandOptions options;
    options.input = "first,";
    options.read_input = [&](MutableBytesView into) -> Result<std::size_t> {
        std::ranges::copy(as_bytes("xy"), into.begin());
        return ++pieces <= 3 ? 2 : 0;
    };
    EXPECT_EQ(run_command({"cat"}, options).value().output, "first,xyxyxy");
}

TEST(Command, input_that_cannot_be_read_ends_it) {
    CommandOptions options;
    options.read_input = [](MutableBytesView) -> Result<std::size_t> {
        return failure(ErrorCode::corrupt, "a hole in the tape");
    };
    auto const failed = run_command({"sh", "-c", "cat; sleep 3600"}, options);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::corrupt);
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
