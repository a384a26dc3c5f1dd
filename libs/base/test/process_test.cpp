/// Programs that run: what they get, how they end, and who ends with them.
#include <sinew/base/exit_status.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/process.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sinew {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// So long that only a fault comes to its end.
constexpr auto patience = 1h;

std::string read_to_end(FileDescriptor const& pipe) {
    std::string text;
    std::array<char, 256> buffer{};
    while (true) {
        pollfd entry{.fd = pipe.get(), .events = POLLIN, .revents = 0};
        (void)::poll(&entry, 1, -1);
        auto const count = ::read(pipe.get(), buffer.data(), buffer.size());
        if (count <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

std::string read_line(FileDescriptor const& pipe) {
    std::string line;
    char c = 0;
    while (c != '\n') {
        pollfd entry{.fd = pipe.get(), .events = POLLIN, .revents = 0};
        (void)::poll(&entry, 1, -1);
        if (::read(pipe.get(), &c, 1) != 1) {
            break;
        }
        line += c;
    }
    return line;
}

ProcessOptions shell(std::string script) {
    return {.command = {"sh", "-c", std::move(script)}, .output = Redirect::pipe()};
}

/// Of a process that runs; readable when it has ended.
FileDescriptor watch(std::string const& pid) {
    return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(pid), 0)));
}

bool ends(FileDescriptor const& watched) {
    pollfd entry{.fd = watched.get(), .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, -1) == 1;
}

TEST(ExitStatus, a_status_and_a_signal_are_told_apart) {
    EXPECT_TRUE(ExitStatus::exited(0).is_success());
    EXPECT_EQ(ExitStatus::exited(3).code(), 3);
    EXPECT_FALSE(ExitStatus::exited(3).signal());
    EXPECT_EQ(ExitStatus::signalled(9).signal(), 9);
    EXPECT_FALSE(ExitStatus::signalled(9).code());
    EXPECT_FALSE(ExitStatus::signalled(9).is_success());
    EXPECT_FALSE(ExitStatus::lost().is_success());
}

TEST(ExitStatus, as_a_shell_tells_it_a_signal_is_128_more) {
    EXPECT_EQ(ExitStatus::exited(3).shell_status(), 3);
    EXPECT_EQ(ExitStatus::signalled(SIGKILL).shell_status(), 137);
    EXPECT_EQ(ExitStatus::lost().shell_status(), 255);
}

TEST(ExitStatus, it_has_words) {
    EXPECT_EQ(to_string(ExitStatus::exited(3)), "ended with status 3");
    EXPECT_EQ(to_string(ExitStatus::signalled(SIGSEGV)), "was ended by signal 11 (Segmentation fault)");
    EXPECT_EQ(to_string(ExitStatus::from_wait_status(SIGSEGV | 0x80)),
              "was ended by signal 11 (Segmentation fault), core dumped");
    EXPECT_THAT(to_string(ExitStatus::lost()), HasSubstr("SIGCHLD"));
}

TEST(Process, its_status_comes_after_its_end) {
    auto process = Process::start(shell("read x; exit 3")).value();
    EXPECT_EQ(process.wait(), ExitStatus::exited(3));
    EXPECT_EQ(process.status(), ExitStatus::exited(3));
    EXPECT_EQ(Process::start(shell("kill -SEGV $$")).value().wait().signal(), SIGSEGV);
}

TEST(Process, it_has_no_status_while_it_runs) {
    auto process = Process::start({.command = {"sleep", "3600"}}).value();
    EXPECT_FALSE(process.status());
    EXPECT_FALSE(process.wait_for(1ms));
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait_for(patience), ExitStatus::signalled(SIGTERM));
}

TEST(Process, both_outputs_can_share_a_pipe_in_the_order_of_writing) {
    auto options = shell("echo one; echo two >&2; echo three");
    options.error_output = Redirect::output();
    EXPECT_EQ(read_to_end(Process::start(options).value().output()), "one\ntwo\nthree\n");
}

TEST(Process, nothing_is_blocked_or_ignored_in_it_whatever_its_owner_does) {
    sigset_t set;
    sigset_t before;
    ::sigfillset(&set);
    ::pthread_sigmask(SIG_SETMASK, &set, &before);
    auto* const ignored_before = std::signal(SIGPIPE, SIG_IGN);
    auto process = Process::start({.command = {"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"},
                                   .output = Redirect::pipe()})
                       .value();
    std::signal(SIGPIPE, ignored_before);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(read_to_end(process.output()), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Process, a_signal_that_it_shall_ignore_is_ignored) {
    auto process = Process::start({.command = {"grep", "SigIgn", "/proc/self/status"},
                                   .output = Redirect::pipe(),
                                   .ignored_signals = {SIGINT}})
                       .value();
    EXPECT_EQ(read_to_end(process.output()), "SigIgn:\t0000000000000002\n");
}

TEST(Process, it_gets_the_descriptors_that_are_listed_and_no_other) {
    // Not close-on-exec, as a library that knows no better would open it.
    FileDescriptor const stray(::open("/dev/null", O_RDONLY));
    auto const folder = TemporaryDirectory::create().value();
    ASSERT_TRUE(write_file_atomically(folder.path() / "a", as_bytes("a\n")));
    ASSERT_TRUE(write_file_atomically(folder.path() / "b", as_bytes("b\n")));
    auto const a = open_file(folder.path() / "a", O_RDONLY).value();
    auto const b = open_file(folder.path() / "b", O_RDONLY).value();
    // Each has the number that the other shall get.
    auto options = shell("cat <&" + std::to_string(a.get()) + " <&" + std::to_string(b.get()) + "; cat <&" +
                         std::to_string(a.get()) + "; ls /proc/self/fd/" + std::to_string(stray.get()) +
                         " 2>&- || echo none");
    options.descriptors = {{a.get(), b.get()}, {b.get(), a.get()}};
    EXPECT_THAT(read_to_end(Process::start(options).value().output()), HasSubstr("a\nb\nnone\n"));
}

TEST(Process, a_group_ends_with_its_program_s_owner) {
    FileDescriptor grandchild;
    {
        auto process = Process::start(shell("sleep 3600 & echo $!; wait")).value();
        grandchild = watch(read_line(process.output()));
        ASSERT_TRUE(grandchild);
    }
    EXPECT_TRUE(ends(grandchild));
}

TEST(Process, a_group_ends_even_if_its_program_has_ended_before) {
    auto process = Process::start(shell("sleep 3600 & echo $!")).value();
    auto const grandchild = watch(read_line(process.output()));
    EXPECT_TRUE(process.wait().is_success());
    process.end(0s);
    EXPECT_TRUE(ends(grandchild));
}

TEST(Process, asked_to_end_it_can_do_so_in_order) {
    auto process =
        Process::start(shell("trap 'exit 5' TERM; echo up; while :; do sleep 3600 & wait; done")).value();
    ASSERT_EQ(read_line(process.output()), "up\n");
    EXPECT_EQ(process.end(patience), ExitStatus::exited(5));
}

TEST(Process, one_that_does_not_want_to_end_is_killed) {
    auto process = Process::start(shell("trap '' TERM; echo up; while :; do sleep 3600; done")).value();
    ASSERT_EQ(read_line(process.output()), "up\n");
    EXPECT_EQ(process.end(1ms), ExitStatus::signalled(SIGKILL));
}

TEST(Process, its_group_is_its_own_its_session_s_or_the_caller_s) {
    auto const group_and_session = [](ProcessGroup group) {
        auto options = shell("echo $(ps -o pgid=,sid= -p $$)");
        options.group = group;
        auto process = Process::start(options).value();
        return std::pair(std::to_string(process.pid()), read_to_end(process.output()));
    };
    auto const session = std::to_string(::getsid(0));
    auto const own = group_and_session(ProcessGroup::own);
    EXPECT_EQ(own.second, own.first + " " + session + "\n");
    auto const own_session = group_and_session(ProcessGroup::session);
    EXPECT_EQ(own_session.second, own_session.first + " " + own_session.first + "\n");
    EXPECT_EQ(group_and_session(ProcessGroup::callers).second,
              std::to_string(::getpgrp()) + " " + session + "\n");
}

TEST(Process, it_can_end_with_the_thread_that_started_it) {
    std::optional<Process> process;
    std::thread([&process] {
        process = Process::start({.command = {"sleep", "3600"}, .signal_at_owners_end = SIGKILL}).value();
    }).join();
    EXPECT_EQ(process->wait(), ExitStatus::signalled(SIGKILL));
}

TEST(Process, one_that_does_not_read_is_an_error_and_no_signal) {
    auto process = Process::start({.command = {"true"}, .input = Redirect::pipe()}).value();
    process.wait();
    auto const written = process.write_all(as_bytes("x"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().sys_errno(), EPIPE);
}

TEST(Process, more_than_a_pipe_holds_can_be_written_to_it) {
    auto options = shell("wc -c");
    options.input = Redirect::pipe();
    auto process = Process::start(options).value();
    ASSERT_TRUE(process.write_all(Bytes(1'000'000)));
    process.input().close();
    EXPECT_EQ(read_to_end(process.output()), "1000000\n");
}

TEST(Process, an_end_that_somebody_else_reaped_is_no_success_and_no_endless_wait) {
    auto* const before = std::signal(SIGCHLD, SIG_IGN);
    auto const status = Process::start({.command = {"true"}}).value().wait();
    std::signal(SIGCHLD, before);
    EXPECT_EQ(status, ExitStatus::lost());
}

TEST(Process, one_that_is_released_lives_on) {
    pid_t pid = 0;
    {
        pid = Process::start({.command = {"sleep", "3600"}}).value().release();
    }
    EXPECT_EQ(::kill(pid, 0), 0);
    ::kill(pid, SIGKILL);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST(Process, the_environment_is_changed_or_replaced) {
    auto options = shell("echo $SINEW_X $HOME");
    options.environment = {{"SINEW_X", "y z"}};
    auto const home = std::string(::getenv("HOME") == nullptr ? "" : ::getenv("HOME"));
    EXPECT_EQ(read_to_end(Process::start(options).value().output()), "y z " + home + "\n");
    options.environment_is = ProcessOptions::Environment::whole;
    EXPECT_EQ(read_to_end(Process::start(options).value().output()), "y z\n");
}

TEST(Process, what_cannot_be_started_is_named_with_the_reason) {
    auto const message_of = [](ProcessOptions const& options) {
        auto const started = Process::start(options);
        return started ? "it runs" : started.error().message();
    };
    EXPECT_EQ(message_of({.command = {"/nonexistent/program"}}),
              "can't run /nonexistent/program: No such file or directory");
    EXPECT_EQ(message_of({.command = {"no-such-program-here"}}), "no program 'no-such-program-here' in PATH");
    EXPECT_EQ(message_of({.command = {"/dev/null"}}), "can't run /dev/null: Permission denied");
    EXPECT_THAT(message_of({.command = {"true"}, .working_directory = "/nonexistent"}),
                HasSubstr(" in /nonexistent: No such file"));
    EXPECT_EQ(Process::start({.command = {}}).error().code(), ErrorCode::invalid_argument);
}

TEST(Process, many_threads_can_start_programs_at_once) {
    std::vector<std::thread> threads;
    std::array<int, 4> sums{};
    for (std::size_t i = 0; i < sums.size(); ++i) {
        threads.emplace_back([&sum = sums.at(i), i] {
            for (int round = 0; round < 8; ++round) {
                auto process = Process::start(shell("exit " + std::to_string(i + 1))).value();
                sum += process.wait().code().value_or(1000);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(sums, (std::array{8, 16, 24, 32}));
}

} // namespace
} // namespace sinew
