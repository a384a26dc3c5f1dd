/// OsProcess on a real node with real, short programs.
#include <sinew/base/file.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Kind = OsProcessEvent::Kind;

/// Only ends a test that hangs.
constexpr auto patience = 5min;

/// Collects events and log lines from the node's threads; the test waits for what it expects.
class Recorder final : public log::Sink {
public:
    void write(log::Event const& event) noexcept override {
        std::scoped_lock const lock(m_mutex);
        m_lines.emplace_back(event.text);
        m_changed.notify_all();
    }
    void add(OsProcessEvent const& event) {
        std::scoped_lock const lock(m_mutex);
        m_events.push_back(event);
        m_changed.notify_all();
    }
    /// The first event of `kind` after those waited for before; fails the test when patience is over.
    OsProcessEvent wait_for(Kind kind) {
        std::unique_lock lock(m_mutex);
        OsProcessEvent found;
        bool const came = m_changed.wait_for(lock, patience, [&] {
            while (m_next < m_events.size()) {
                found = m_events[m_next++];
                if (found.kind == kind) {
                    return true;
                }
            }
            return false;
        });
        EXPECT_TRUE(came) << "no such event came";
        return found;
    }
    bool wait_for_line(std::string const& text) {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, patience, [&] {
            return std::ranges::any_of(
                m_lines, [&](auto const& line) { return line.find(text) != std::string::npos; });
        });
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<OsProcessEvent> m_events;
    std::vector<std::string> m_lines;
    std::size_t m_next = 0;
};

class OsProcessOnANode : public ::testing::Test {
protected:
    OsProcessOptions shell(std::string script) {
        return {.name = "program",
                .command = {"/bin/sh", "-c", std::move(script)},
                .listener = [this](OsProcessEvent const& event) { m_recorder.add(event); }};
    }
    SupervisorRef supervise_it(OsProcessOptions options, unsigned intensity = 0) {
        auto tree =
            supervise({.intensity = intensity, .period = 60s}, {os_process_child(std::move(options))});
        return m_node.start(std::move(tree)).value();
    }
    Recorder m_recorder;
    Node m_node{NodeOptions{.workers = 2, .log = &m_recorder}};
};

TEST_F(OsProcessOnANode, what_the_program_prints_goes_to_the_log) {
    auto const tree = supervise_it(shell("echo hello; echo oops >&2; sleep 100"));
    EXPECT_TRUE(m_recorder.wait_for_line("hello"));
    EXPECT_TRUE(m_recorder.wait_for_line("oops"));
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(OsProcessOnANode, a_program_that_ends_is_started_again_by_its_supervisor) {
    auto const tree = supervise_it(shell("exit 7"), 2);
    for (int i = 0; i < 3; ++i) {
        EXPECT_GT(m_recorder.wait_for(Kind::started).pid, 0);
        EXPECT_EQ(m_recorder.wait_for(Kind::ended).detail, "ended with status 7");
    }
    (void)tree;
}

/// Python, because a shell can't write to a socket.
std::string notifier(std::string const& then) {
    return "exec python3 -c 'import os,signal,socket,time\n"
           "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
           "def tell(text): s.sendto(text,\"\\0\"+os.environ[\"NOTIFY_SOCKET\"][1:])\n" +
           then + "'";
}

TEST_F(OsProcessOnANode, a_program_that_stops_answering_is_ended_and_started_again) {
    auto options = shell(notifier("tell(b\"READY=1\\nWATCHDOG=1\")\nos.kill(os.getpid(),signal.SIGSTOP)"));
    options.notifies_ready = true;
    options.answer_limit = 300ms;
    auto const tree = supervise_it(std::move(options), 1);
    m_recorder.wait_for(Kind::ready);
    m_recorder.wait_for(Kind::silent);
    EXPECT_THAT(m_recorder.wait_for(Kind::ended).detail, HasSubstr("didn't answer for"));
    m_recorder.wait_for(Kind::started);
    (void)tree;
}

TEST_F(OsProcessOnANode, one_that_never_said_that_it_lives_is_left_alone) {
    auto options =
        shell(notifier("tell(b\"READY=1\")\ntime.sleep(0.5)\nprint(os.environ[\"WATCHDOG_USEC\"])"));
    options.notifies_ready = true;
    options.answer_limit = 50ms;
    auto const tree = supervise_it(std::move(options));
    EXPECT_TRUE(m_recorder.wait_for_line("50000"));
    EXPECT_EQ(m_recorder.wait_for(Kind::ended).detail, "ended with status 0");
    (void)tree;
}

TEST_F(OsProcessOnANode, asked_to_stop_it_sends_sigterm_and_waits) {
    auto const tree = supervise_it(
        shell("trap 'echo stopping in order; exit 0' TERM; echo up; while :; do sleep 0.01; done"));
    ASSERT_TRUE(m_recorder.wait_for_line("up"));
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown(), patience));
    EXPECT_TRUE(m_recorder.wait_for_line("stopping in order"));
    EXPECT_EQ(m_recorder.wait_for(Kind::stopped).detail, "ended with status 0");
}

TEST_F(OsProcessOnANode, a_program_that_will_not_stop_is_killed_after_its_grace) {
    auto options = shell("trap '' TERM; echo up; while :; do sleep 0.01; done");
    options.stop_grace = 20ms;
    auto const tree = supervise_it(std::move(options));
    ASSERT_TRUE(m_recorder.wait_for_line("up"));
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown(), patience));
    EXPECT_THAT(m_recorder.wait_for(Kind::stopped).detail, HasSubstr("signal 9"));
}

TEST_F(OsProcessOnANode, it_is_ready_when_it_says_so_on_the_notify_socket) {
    // The shell has no datagram sockets; python3 is there wherever the tests are built.
    auto options = shell("exec python3 -c 'import os,socket,time\n"
                         "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
                         "s.sendto(b\"STATUS=x\\nREADY=1\", \"\\0\"+os.environ[\"NOTIFY_SOCKET\"][1:])\n"
                         "time.sleep(100)'");
    options.notifies_ready = true;
    auto const tree = supervise_it(std::move(options));
    EXPECT_GT(m_recorder.wait_for(Kind::started).pid, 0);
    EXPECT_GT(m_recorder.wait_for(Kind::ready).pid, 0);
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(OsProcessOnANode, a_program_that_is_missing_is_an_end_with_a_cause) {
    auto const tree =
        supervise_it({.name = "program",
                      .command = {"/nonexistent/program"},
                      .listener = [this](OsProcessEvent const& event) { m_recorder.add(event); }});
    EXPECT_THAT(m_recorder.wait_for(Kind::ended).detail, HasSubstr("/nonexistent/program"));
    (void)tree;
}

TEST_F(OsProcessOnANode, what_is_prepared_replaces_the_command_and_its_failure_is_an_end) {
    auto options = shell("exit 1");
    options.prepare = [] {
        return Result<std::vector<std::string>>({"/bin/sh", "-c", "echo prepared; sleep 100"});
    };
    auto const good = supervise_it(std::move(options));
    EXPECT_TRUE(m_recorder.wait_for_line("prepared"));
    EXPECT_TRUE(stop_and_wait(good.pid(), ExitReason::shutdown(), patience));
    options = shell("sleep 100");
    options.prepare = []() -> Result<std::vector<std::string>> {
        return failure(ErrorCode::not_found, "no interface yet");
    };
    (void)supervise_it(std::move(options));
    EXPECT_TRUE(m_recorder.wait_for_line("no interface yet"));
}

TEST_F(OsProcessOnANode, with_backoff_the_second_start_waits) {
    auto options = shell("exit 1");
    options.backoff =
        std::make_shared<Backoff>(BackoffOptions{.first = 30ms, .longest = 1s, .forget_after = 60s});
    auto const began = std::chrono::steady_clock::now();
    auto const tree = supervise_it(std::move(options), 5);
    (void)m_recorder.wait_for(Kind::started);
    (void)m_recorder.wait_for(Kind::ended);
    (void)m_recorder.wait_for(Kind::started);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 30ms);
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(OsProcessOnANode, one_with_a_ready_path_holds_up_its_younger_siblings) {
    auto const folder = TemporaryDirectory::create().value();
    auto const path = folder.path() / "ready";
    auto first = shell("sleep 0.05; touch " + path.string() + "; sleep 100");
    first.ready_path = path;
    auto second = shell("test -e " + path.string() + " && echo in order; sleep 100");
    second.name = "second";
    auto const tree = m_node.start(supervise(
        Strategy::one_for_one, {os_process_child(std::move(first)), os_process_child(std::move(second))}));
    ASSERT_TRUE(tree);
    EXPECT_TRUE(m_recorder.wait_for_line("in order"));
    EXPECT_TRUE(stop_and_wait(tree->pid(), ExitReason::shutdown(), patience));
}

TEST_F(OsProcessOnANode, killing_the_process_kills_the_program) {
    auto const process = m_node.start<OsProcess>({}, shell("echo up; sleep 100")).value();
    auto const pid = m_recorder.wait_for(Kind::started).pid;
    ASSERT_TRUE(m_recorder.wait_for_line("up"));
    FileDescriptor const ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    (void)stop_and_wait(process.pid(), ExitReason::kill(), patience);
    pollfd waiting{.fd = ended.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count())), 1);
}

} // namespace
} // namespace sinew::device
