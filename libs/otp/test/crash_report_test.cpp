// Crash reports: what they say, and how many there are.
#include "core/report_limiter.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sinew::log {

/// What a lamp shows of itself.
struct LampState {
    bool is_on = false;
    int switched = 0;
};
BOOST_DESCRIBE_STRUCT(LampState, (), (is_on, switched))

namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Switch {};
struct Burn {};
struct Look {};
class Lamp : public Server<Lamp> {
public:
    LampState& state() { return m_state; }
    void handle_cast(Switch /*message*/) {
        m_state.is_on = !m_state.is_on;
        ++m_state.switched;
    }
    void handle_cast(Burn /*message*/) { throw std::runtime_error("burnt out"); }
    void handle_cast(Look /*message*/) { (void)std::vector<int>().at(1); }

private:
    LampState m_state;
};

TEST(CrashReports, say_what_it_was_its_state_its_last_message_and_its_mailbox) {
    testing::Simulation simulation;
    auto const lamp = simulation.node().start<Lamp>({.name = "porch"}).value();
    cast(lamp, Switch{});
    cast(lamp, Burn{});
    cast(lamp, Switch{});
    cast(lamp, Switch{});
    simulation.run_until_settled();
    ASSERT_THAT(simulation.log_lines(), SizeIs(1));
    EXPECT_THAT(simulation.log_lines().front(),
                AllOf(HasSubstr("Lamp: crashed: std::runtime_error: burnt out"),
                      HasSubstr("\n    last message    sinew::log::(anonymous namespace)::Burn"),
                      HasSubstr("\n    state           {\"is_on\":true,\"switched\":1}"),
                      HasSubstr("\n    name            porch"), HasSubstr("\n    mailbox length  2"),
                      HasSubstr("\n    messages handled 2")));
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SINEW_WATCHED_THROWS
#endif
#endif
#ifndef SINEW_WATCHED_THROWS
TEST(CrashReports, say_where_the_exception_was_thrown) {
    testing::Simulation simulation;
    cast(simulation.node().start<Lamp>().value(), Burn{});
    simulation.run_until_settled();
    std::string const thrown_here = simulation.log_lines().back();
    EXPECT_THAT(thrown_here, ::testing::ContainsRegex("\n    thrown at       [a-z_]*test\\+0x[0-9a-f]+\n"));
    cast(simulation.node().start<Lamp>().value(), Look{});
    simulation.run_until_settled();
    EXPECT_THAT(simulation.log_lines().back(),
                ::testing::ContainsRegex("\n    thrown at       [a-z_]*test\\+0x[0-9a-f]+\n"))
        << "not the library's own place";
}
#endif

TEST(CrashReports, of_one_class_are_limited_and_counted) {
    testing::Simulation simulation;
    auto const crash = [&simulation](int times) {
        for (int i = 0; i < times; ++i) {
            cast(simulation.node().start<Lamp>().value(), Burn{});
            simulation.run_until_settled();
        }
    };
    crash(20);
    EXPECT_THAT(simulation.log_lines(), SizeIs(5));
    simulation.advance(10s);
    crash(1);
    ASSERT_THAT(simulation.log_lines(), SizeIs(6));
    EXPECT_THAT(simulation.log_lines().back(), HasSubstr("left out        15"));
}

TEST(ReportLimiter, different_reports_have_limits_of_their_own) {
    detail::ReportLimiter limiter;
    std::size_t const one = detail::ReportLimiter::key("Led", "led.cpp", 1);
    std::size_t const other = detail::ReportLimiter::key("Led", "led.cpp", 2);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(limiter.admit(one, 1), 0U);
    }
    EXPECT_EQ(limiter.admit(one, 1), std::nullopt);
    EXPECT_EQ(limiter.admit(other, 1), 0U);
}

} // namespace
} // namespace sinew::log
