/// Include it in one source of a GoogleTest program: when a test fails, it says which interleaving that was.
///
///     to run this interleaving again: SINEW_SIMULATION_SEED=42 ./led_test --gtest_filter=Led.blinks
///
/// Threading: GoogleTest's.
#pragma once

#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace sinew::testing {

/// Prints Simulation::last_replay() once for each test that fails.
class ReplayPrinter : public ::testing::EmptyTestEventListener {
public:
    void OnTestStart(::testing::TestInfo const& test) override {
        m_name = std::string(test.test_suite_name()) + "." + test.name();
    }
    /// GoogleTest holds its lock here: it is not to be asked for anything.
    void OnTestPartResult(::testing::TestPartResult const& result) override {
        std::string const replay = result.failed() ? Simulation::last_replay() : std::string();
        if (!replay.empty() && !m_name.empty()) {
            (void)std::printf("to run this interleaving again: %s with --gtest_filter=%s\n", replay.c_str(),
                              m_name.c_str());
            m_name.clear();
        }
    }

private:
    /// Empty once it has printed.
    std::string m_name;
};

/// Installs the printer before main().
inline bool const has_replay_printer = [] {
    ::testing::UnitTest::GetInstance()->listeners().Append(new ReplayPrinter); // GoogleTest owns it.
    return true;
}();

} // namespace sinew::testing
