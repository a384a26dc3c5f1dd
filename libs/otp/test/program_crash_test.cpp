// The last words of an application that dies of what C++ can't contain.
#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace sinew {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

/// The sanitizers leave the program's crashes to it.
std::pair<std::string, std::string> const sanitizers_aside{
    "ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:use_sigaltstack=0:detect_leaks=0"};

class ProgramCrash : public ::testing::Test {
protected:
    [[nodiscard]] CommandResult end_by(std::string const& how,
                                       std::vector<std::pair<std::string, std::string>> environment = {
                                           sanitizers_aside}) const {
        EXPECT_TRUE(write_file_atomically(directory.path() / "config.toml",
                                          as_bytes("[lamp]\nends_by = '" + how + "'\n")));
        environment.emplace_back("SINEW_OBSERVE", "off");
        return run_command({OTP_APPLICATION_PROGRAM, "--config", directory.path().string()},
                           {.environment = std::move(environment), .timeout = std::chrono::seconds(60)})
            .value();
    }

    TemporaryDirectory directory = TemporaryDirectory::create().value();
};

TEST_F(ProgramCrash, of_a_bad_address_tells_signal_address_process_message_and_stack) {
    CommandResult const result = end_by("null");
    EXPECT_EQ(result.status, 128 + SIGSEGV);
    EXPECT_THAT(result.error_output,
                AllOf(HasSubstr("LampApplication: crashed: SIGSEGV at address 0x0 (nothing is there), in "
                                "(anonymous namespace)::Lamp <"),
                      HasSubstr("> handling (anonymous namespace)::Tick, thread "),
                      ContainsRegex("LampApplication:     otp_test_application\\+0x[0-9a-f]+\n"),
                      ContainsRegex("LampApplication:     libc.so.6\\+0x[0-9a-f]+\n")));
}

TEST_F(ProgramCrash, is_made_on_a_stack_of_its_own) {
    CommandResult const result = end_by("stack");
    EXPECT_EQ(result.status, 128 + SIGSEGV);
    EXPECT_THAT(result.error_output, AllOf(HasSubstr("(the stack is used up), in "),
                                           ContainsRegex("otp_test_application\\+0x[0-9a-f]+\n")));
}

TEST_F(ProgramCrash, of_work_that_blocks_is_made_too) {
    CommandResult const result = end_by("stack of the pool");
    EXPECT_EQ(result.status, 128 + SIGSEGV);
    EXPECT_THAT(result.error_output,
                AllOf(HasSubstr("(the stack is used up), thread "), HasSubstr("otp_test_application+0x")));
}

TEST_F(ProgramCrash, of_a_call_of_nothing_tells_who_called) {
    CommandResult const result = end_by("call");
    EXPECT_EQ(result.status, 128 + SIGSEGV);
    EXPECT_THAT(result.error_output, AllOf(ContainsRegex("LampApplication:     0x0\n"),
                                           ContainsRegex("otp_test_application\\+0x[0-9a-f]+\n")));
}

TEST_F(ProgramCrash, tells_of_an_abort) {
    CommandResult const result = end_by("abort");
    EXPECT_EQ(result.status, 128 + SIGABRT);
    EXPECT_THAT(result.error_output,
                AllOf(HasSubstr("crashed: SIGABRT, in "), HasSubstr("otp_test_application+0x")));
}

TEST_F(ProgramCrash, tells_of_an_exception_that_nothing_caught) {
    CommandResult const result = end_by("terminate");
    EXPECT_EQ(result.status, 128 + SIGABRT);
    EXPECT_THAT(result.error_output,
                AllOf(HasSubstr("crashed: SIGABRT"),
                      HasSubstr(": nothing caught std::runtime_error: nobody is there")));
}

TEST_F(ProgramCrash, tells_of_an_exit_in_the_middle) {
    CommandResult const result = end_by("exit");
    EXPECT_EQ(result.status, 7);
    EXPECT_THAT(result.error_output,
                AllOf(HasSubstr("exit() was called with status 7 while the application was running, in "),
                      HasSubstr("handling "), HasSubstr("otp_test_application+0x")));
}

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
TEST_F(ProgramCrash, is_left_to_a_sanitizer) {
    CommandResult const result = end_by("null", {});
    EXPECT_THAT(result.error_output,
                AllOf(HasSubstr("AddressSanitizer: SEGV"), Not(HasSubstr("LampApplication: crashed"))));
}
#endif

} // namespace
} // namespace sinew
