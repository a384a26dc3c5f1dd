// What may block says so; a thread that serves others ends the program by it.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/file_lock.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/unix_socket.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>

namespace sinew {
namespace {

class Blocking : public ::testing::Test {
protected:
    void SetUp() override {
        if (SINEW_CHECKS_BLOCKING == 0) {
            GTEST_SKIP() << "an optimised build checks nothing";
        }
        GTEST_FLAG_SET(death_test_style, "threadsafe");
    }
    static void expect_end(std::function<void()> const& action, std::string const& text) {
        auto const served = [&action] {
            MustNotBlock const scope("a scheduler thread");
            action();
        };
        EXPECT_DEATH(served(), text);
    }
    TemporaryDirectory m_folder = TemporaryDirectory::create().value();
};

TEST_F(Blocking, a_thread_that_serves_others_ends_the_program) {
    expect_end([] { assert_may_block("a wait"); }, "a wait blocks a scheduler thread");
}

TEST_F(Blocking, what_waits_for_a_disk_or_a_program_says_so) {
    auto const path = m_folder.path() / "file";
    auto const file = open_file(path, O_RDWR | O_CREAT).value();
    expect_end([&] { (void)sync_file(file); }, "fdatasync blocks");
    expect_end([&] { (void)write_file_atomically(path, {}); }, "an atomic write blocks");
    expect_end([&] { (void)lock_file(path); }, "a file lock blocks");
    expect_end([&] { (void)connect_to_unix_socket(path); }, "connect blocks");
    expect_end([] { (void)run_command({"true"}); }, "run_command\\(\\) blocks");
}

TEST_F(Blocking, a_program_that_still_runs_is_not_reaped_there) {
    expect_end([] { (void)Process::start({.command = {"sleep", "60"}}).value(); },
               "reaping a program that runs blocks");
    auto ended = Process::start({.command = {"true"}}).value();
    (void)ended.wait();
    MustNotBlock const scope("a scheduler thread");
    Process const reaped_here = std::move(ended);
}

TEST_F(Blocking, other_threads_may) {
    assert_may_block("a wait");
    MustNotBlock const scope("a scheduler thread");
    std::thread([] { assert_may_block("a wait"); }).join();
}

TEST_F(Blocking, a_thread_may_again_afterwards_or_with_permission) {
    {
        MustNotBlock const scope("a scheduler thread");
        AllowBlocking const permission("this test");
        assert_may_block("a wait");
        EXPECT_TRUE(write_file_atomically(m_folder.path() / "file", {}));
    }
    assert_may_block("a wait");
}

} // namespace
} // namespace sinew
