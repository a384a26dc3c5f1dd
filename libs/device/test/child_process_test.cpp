/// Real child processes: their group, their outputs, their ends.
#include <sinew/device/child_process.hpp>
#include <sinew/device/wait_status.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>

namespace sinew::device {
namespace {

using ::testing::HasSubstr;

constexpr int limit_ms = 300'000; // Only ends a test that hangs.

void wait_readable(FileDescriptor const& fd) {
    pollfd entry{.fd = fd.get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&entry, 1, limit_ms), 1);
}

std::string read_to_end(FileDescriptor const& fd) {
    std::string text;
    std::array<char, 256> buffer{};
    while (true) {
        wait_readable(fd);
        auto const count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

ChildProcess start_shell(std::string script) {
    return ChildProcess::start({.command = {"/bin/sh", "-c", std::move(script)}}).value();
}

TEST(ChildProcess, both_outputs_come_in_order_and_the_status_after_the_end) {
    auto child = start_shell("echo one; echo two >&2; echo three; exit 3");
    EXPECT_EQ(read_to_end(child.output()), "one\ntwo\nthree\n");
    wait_readable(child.ended());
    ASSERT_TRUE(child.wait_status());
    EXPECT_EQ(describe_wait_status(*child.wait_status()), "ended with status 3");
}

TEST(ChildProcess, a_signal_is_told_from_a_status) {
    auto child = start_shell("kill -SEGV $$");
    wait_readable(child.ended());
    EXPECT_THAT(describe_wait_status(child.wait_status().value()),
                HasSubstr("was ended by signal 11 (Segmentation"));
}

TEST(ChildProcess, it_has_no_status_while_it_runs) {
    auto child = start_shell("read x; sleep 100");
    EXPECT_FALSE(start_shell("sleep 100").wait_status());
    child.signal_group(SIGTERM);
    wait_readable(child.ended());
    EXPECT_TRUE(child.wait_status());
}

TEST(ChildProcess, it_leads_a_session_of_its_own_with_nothing_blocked_and_nothing_to_read) {
    auto child = start_shell("ps -o sid= -p $$ | tr -d ' '; echo $$; cat; grep SigBlk /proc/self/status");
    auto const text = read_to_end(child.output());
    auto const pid = std::to_string(child.pid());
    EXPECT_EQ(text, pid + "\n" + pid + "\nSigBlk:\t0000000000000000\n");
}

TEST(ChildProcess, destroying_it_ends_the_whole_group) {
    FileDescriptor grandchild;
    {
        auto child = start_shell("sleep 100 & echo $!; wait");
        std::array<char, 32> buffer{};
        wait_readable(child.output());
        ASSERT_GT(::read(child.output().get(), buffer.data(), buffer.size() - 1), 0);
        grandchild = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(buffer.data()), 0)));
        ASSERT_TRUE(grandchild);
    }
    pollfd entry{.fd = grandchild.get(), .events = POLLIN, .revents = 0};
    bool const ended = ::poll(&entry, 1, limit_ms) == 1;
    EXPECT_TRUE(ended) << "SIGKILL was sent before the destructor returned";
}

TEST(ChildProcess, the_environment_is_changed_and_not_replaced) {
    auto child =
        ChildProcess::start({.command = {"/bin/sh", "-c", "echo $SINEW_X; test -n \"$PATH\" && echo path"},
                             .environment = {{"SINEW_X", "y z"}}})
            .value();
    EXPECT_EQ(read_to_end(child.output()), "y z\npath\n");
}

TEST(ChildProcess, a_missing_program_is_named) {
    auto const child = ChildProcess::start({.command = {"/nonexistent/program"}});
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().code(), ErrorCode::not_found);
    EXPECT_THAT(child.error().message(), HasSubstr("/nonexistent/program"));
    EXPECT_FALSE(ChildProcess::start({.command = {}}));
}

TEST(Notification, only_a_whole_line_ready_1_counts) {
    EXPECT_TRUE(says_ready("READY=1"));
    EXPECT_TRUE(says_ready("STATUS=up\nREADY=1\nMAINPID=4\n"));
    for (auto const* text : {"", "\n", "READY=0", "READY=10", "XREADY=1", "STATUS=READY=1", "READY=1 "}) {
        EXPECT_FALSE(says_ready(text)) << text;
    }
}

} // namespace
} // namespace sinew::device
