// Several applications: needs, phases, types, and what a failed start leaves.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Crash {};
struct Finish {};

class Part : public Server<Part> {
public:
    struct Options {
        std::string name = {};
        Journal* journal = nullptr;
        bool fails = false;
    };
    explicit Part(Options options)
        : m_options(std::move(options)) {}
    Result<> init() {
        set_trap_exit(true);
        if (m_options.fails) {
            return failure(ErrorCode::unavailable, "no power");
        }
        m_options.journal->add("up " + m_options.name);
        return {};
    }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    void handle_cast(Finish /*message*/) { stop(); }
    void terminate(ExitReason const& /*reason*/) { m_options.journal->add("down " + m_options.name); }

private:
    Options m_options;
};

class Program : public Application {
public:
    struct Options {
        std::string name = {};
        Journal* journal = nullptr;
        bool fails = false;
        std::vector<std::string> phases = {};
        std::string failing_phase = {};
    };
    explicit Program(Options options)
        : m_options(std::move(options)) {}
    Supervisor start(Config const& /*config*/) override {
        Part::Options const part{m_options.name, m_options.journal, m_options.fails};
        return supervise(
            SupervisorOptions{.intensity = 0, .auto_shutdown = AutoShutdown::any_significant},
            {child<Part>(part,
                         {.id = m_options.name, .restart = Restart::transient, .is_significant = true})});
    }
    [[nodiscard]] std::vector<std::string> start_phases() const override { return m_options.phases; }
    Result<> start_phase(std::string_view phase) override {
        m_options.journal->add(m_options.name + " " + std::string(phase));
        if (phase == m_options.failing_phase) {
            return failure(ErrorCode::unavailable, "not now");
        }
        return {};
    }
    void prepare_stop() override { m_options.journal->add("prepare " + m_options.name); }
    void stop() override { m_options.journal->add("stopped " + m_options.name); }

private:
    Options m_options;
};

class ManyApplications : public ::testing::Test {
protected:
    void add(Program::Options options, std::vector<std::string> needs = {}) {
        options.journal = &journal;
        std::string const name = options.name;
        ASSERT_TRUE(applications.add({.name = name,
                                      .application = std::make_shared<Program>(std::move(options)),
                                      .needs = std::move(needs)}));
    }
    std::vector<std::string> lines() {
        simulation.run_until_settled();
        return journal.lines();
    }
    Simulation simulation;
    Journal journal;
    Applications applications{simulation.node(), Config(),
                              [this](std::string const& name, ExitReason const& reason) {
                                  journal.add("fatal " + name + " " + reason.to_string());
                              }};
};

TEST_F(ManyApplications, start_only_when_what_they_need_runs) {
    add({.name = "network"});
    add({.name = "hub"}, {"network"});
    auto const refused = applications.start("hub");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("application hub needs network"));
    ASSERT_TRUE(applications.start("network"));
    ASSERT_TRUE(applications.start("hub"));
    EXPECT_EQ(applications.start("hub").error().code(), ErrorCode::exists);
    EXPECT_THAT(applications.running(), ElementsAre("network", "hub"));
}

TEST_F(ManyApplications, start_with_all_they_need_in_order) {
    add({.name = "a"});
    add({.name = "b"}, {"a"});
    add({.name = "c"}, {"a", "b"});
    add({.name = "other"});
    EXPECT_THAT(applications.ensure_all_started("c").value(), ElementsAre("a", "b", "c"));
    EXPECT_THAT(lines(), ElementsAre("up a", "up b", "up c"));
    EXPECT_THAT(applications.ensure_all_started("b").value(), IsEmpty());
}

TEST_F(ManyApplications, name_what_is_missing_and_who_needs_it) {
    add({.name = "a"}, {"ghost"});
    add({.name = "b"}, {"a"});
    auto const missing = applications.ensure_all_started("b");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
    EXPECT_THAT(missing.error().message(), HasSubstr("there is no application ghost, which a needs"));
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(ManyApplications, refuse_to_need_each_other) {
    add({.name = "a"}, {"b"});
    add({.name = "b"}, {"a"});
    EXPECT_EQ(applications.ensure_all_started("a").error().code(), ErrorCode::invalid_argument);
}

TEST_F(ManyApplications, stop_what_was_started_for_one_that_fails) {
    add({.name = "a"});
    add({.name = "b"}, {"a"});
    add({.name = "c", .fails = true}, {"b"});
    auto const failed = applications.ensure_all_started("c");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("application c: "));
    EXPECT_THAT(failed.error().message(), HasSubstr("no power"));
    EXPECT_THAT(lines(), ElementsAre("up a", "up b", "stopped c", "prepare b", "down b", "stopped b",
                                     "prepare a", "down a", "stopped a"));
    EXPECT_THAT(applications.running(), IsEmpty());
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

TEST_F(ManyApplications, keep_what_ran_before_one_that_fails) {
    add({.name = "a"});
    add({.name = "b", .fails = true}, {"a"});
    ASSERT_TRUE(applications.start("a"));
    EXPECT_FALSE(applications.ensure_all_started("b"));
    EXPECT_THAT(applications.running(), ElementsAre("a"));
}

TEST_F(ManyApplications, go_through_their_start_phases_when_the_tree_is_up) {
    add({.name = "a", .phases = {"load", "go"}});
    ASSERT_TRUE(applications.start("a"));
    EXPECT_THAT(lines(), ElementsAre("up a", "a load", "a go"));
}

TEST_F(ManyApplications, are_stopped_again_when_a_start_phase_fails) {
    add({.name = "a", .phases = {"load", "go"}, .failing_phase = "load"});
    auto const failed = applications.start("a");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("application a: phase load: not now"));
    EXPECT_THAT(lines(), ElementsAre("up a", "a load", "prepare a", "down a", "stopped a"));
}

TEST_F(ManyApplications, stop_in_the_reverse_order_of_their_starts) {
    for (char const* const name : {"a", "b", "c"}) {
        add({.name = name});
        ASSERT_TRUE(applications.start(name));
    }
    journal.clear();
    ASSERT_TRUE(applications.stop("b"));
    EXPECT_EQ(applications.stop("b").error().code(), ErrorCode::not_found);
    ASSERT_TRUE(applications.stop_all());
    EXPECT_THAT(lines(), ElementsAre("prepare b", "down b", "stopped b", "prepare c", "down c", "stopped c",
                                     "prepare a", "down a", "stopped a"));
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

TEST_F(ManyApplications, can_be_started_again) {
    add({.name = "a"});
    ASSERT_TRUE(applications.start("a"));
    ASSERT_TRUE(applications.stop("a"));
    ASSERT_TRUE(applications.start("a"));
    EXPECT_THAT(lines(), ElementsAre("up a", "prepare a", "down a", "stopped a", "up a"));
}

TEST_F(ManyApplications, that_are_temporary_may_end) {
    add({.name = "a"});
    ASSERT_TRUE(applications.start("a", ApplicationType::temporary));
    cast(name<Part>("a"), Crash{});
    EXPECT_THAT(lines(), ElementsAre("up a", "down a"));
    EXPECT_THAT(applications.running(), IsEmpty());
    EXPECT_TRUE(simulation.has_logged("application a ended: shutdown"));
    ASSERT_TRUE(applications.start("a"));
    EXPECT_THAT(lines(), ElementsAre("up a", "down a", "stopped a", "up a"));
}

TEST_F(ManyApplications, that_are_permanent_end_the_node_whatever_their_reason) {
    add({.name = "a"});
    ASSERT_TRUE(applications.start("a", ApplicationType::permanent));
    cast(name<Part>("a"), Finish{});
    EXPECT_THAT(lines(), ElementsAre("up a", "down a", "fatal a shutdown"));
    ASSERT_TRUE(applications.stop_all());
    EXPECT_THAT(lines(), ElementsAre("up a", "down a", "fatal a shutdown", "stopped a"));
}

TEST_F(ManyApplications, that_are_transient_end_the_node_unless_they_end_normally) {
    add({.name = "a"});
    ASSERT_TRUE(applications.start("a", ApplicationType::transient));
    cast(name<Part>("a"), Crash{});
    EXPECT_THAT(lines(), ElementsAre("up a", "down a", "fatal a shutdown"));
    ASSERT_TRUE(applications.stop_all());
    EXPECT_THAT(lines(), ElementsAre("up a", "down a", "fatal a shutdown", "stopped a"));
}

TEST_F(ManyApplications, want_a_name_of_their_own) {
    add({.name = "a"});
    EXPECT_EQ(applications.add({.name = "a", .application = std::make_shared<Program>(Program::Options{})})
                  .error()
                  .code(),
              ErrorCode::exists);
    EXPECT_EQ(applications.add({.name = "b", .application = nullptr}).error().code(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(applications.start("nobody").error().code(), ErrorCode::not_found);
}

} // namespace
} // namespace sinew::testing
