// What the functions of an Application may do, and what follows when they throw.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Fail {};
struct Ping {
    using Reply = int;
};
class Pump : public Server<Pump> {
public:
    void handle_cast(Fail /*message*/) { throw std::runtime_error("clogged"); }
};
class Witness : public Server<Witness> {
public:
    int handle_call(Ping /*ping*/) { return 7; }
};

struct Hooks {
    std::function<void()> start = [] {};
    std::vector<std::string> phases = {};
    std::function<Result<>(std::string_view)> phase = [](std::string_view) { return Result<>(); };
    std::function<void()> prepare_stop = [] {};
    std::function<void()> stop = [] {};
    std::vector<ApplicationSpec> needs = {};
};

/// One pump, which may not crash at all, and hooks that are told what to do.
class Hooked : public Application {
public:
    explicit Hooked(std::string name, Hooks hooks)
        : m_name(std::move(name))
        , m_hooks(std::move(hooks)) {}
    std::vector<ApplicationSpec> needs() override { return m_hooks.needs; }
    Supervisor start(Config const& /*config*/) override {
        m_hooks.start();
        return supervise(SupervisorOptions{.intensity = 0}, {child_with<Pump>({.id = m_name})});
    }
    [[nodiscard]] std::vector<std::string> start_phases() const override { return m_hooks.phases; }
    Result<> start_phase(std::string_view phase) override { return m_hooks.phase(phase); }
    void prepare_stop() override { m_hooks.prepare_stop(); }
    void stop() override { m_hooks.stop(); }

private:
    std::string m_name;
    Hooks m_hooks;
};

void throw_it() {
    throw std::runtime_error("no water");
}

class ApplicationHooks : public ::testing::Test {
protected:
    void add(std::string const& name, Hooks hooks, std::vector<std::string> needs = {}) {
        ASSERT_TRUE(applications.add({.name = name,
                                      .application = std::make_shared<Hooked>(name, std::move(hooks)),
                                      .needs = std::move(needs)}));
    }
    [[nodiscard]] std::function<void()> say(std::string line) {
        return [this, line = std::move(line)] { journal.add(line); };
    }
    [[nodiscard]] std::size_t process_count() {
        simulation.run_until_settled();
        return simulation.node().process_count();
    }
    Simulation simulation;
    Journal journal;
    Applications applications{
        simulation.node(), Config(),
        [this](std::string const& name, ExitReason const& /*reason*/) { journal.add("fatal " + name); }};
};

TEST_F(ApplicationHooks, a_stop_that_throws_hides_no_fatal_end) {
    add("a", {.stop = &throw_it});
    ASSERT_TRUE(applications.start("a", ApplicationType::permanent));
    cast(name<Pump>("a"), Fail{});
    simulation.run_until_settled();
    EXPECT_THAT(journal.lines(), ElementsAre("fatal a"));
    auto const stopped = applications.stop_all();
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().message(), HasSubstr("application a: stop() threw: no water"));
    EXPECT_TRUE(simulation.has_logged("application a: stop() threw: no water"));
}

TEST_F(ApplicationHooks, a_stop_may_call_also_after_its_tree_ended_by_itself) {
    ASSERT_TRUE(simulation.node().start(supervise(Strategy::one_for_one, {child<Witness>()})));
    int answer = 0;
    add("a", {.stop = [&answer] { answer = call(name<Witness>, Ping{}).value(); }});
    ASSERT_TRUE(applications.start("a", ApplicationType::permanent));
    cast(name<Pump>("a"), Fail{});
    simulation.run_until_settled();
    EXPECT_TRUE(applications.stop_all());
    EXPECT_EQ(answer, 7);
}

TEST_F(ApplicationHooks, a_start_that_throws_stops_what_was_started_for_it) {
    add("network", {.stop = say("network stopped")});
    add("hub", {.start = &throw_it, .stop = say("hub stopped")}, {"network"});
    auto const failed = applications.ensure_all_started("hub");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(failed.error().message(), HasSubstr("application hub: start() threw: no water"));
    EXPECT_THAT(journal.lines(), ElementsAre("network stopped"));
    EXPECT_THAT(applications.running(), IsEmpty());
    EXPECT_EQ(process_count(), 0U);
}

TEST_F(ApplicationHooks, a_bad_configuration_is_an_error_with_its_place) {
    add("hub", {.start = [] { (void)Config::parse("[hub]\nport = 1\n").value().section<bool>("hub"); }});
    auto const failed = applications.ensure_all_started("hub");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(failed.error().message(), AllOf(HasSubstr("application hub"), HasSubstr("config.toml:")));
}

TEST_F(ApplicationHooks, a_start_phase_that_throws_leaves_no_tree_behind) {
    add("a", {.phases = {"fill"},
              .phase = [](std::string_view) -> Result<> { throw std::runtime_error("no water"); },
              .prepare_stop = say("prepare"),
              .stop = say("stopped")});
    auto const failed = applications.start("a");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), AllOf(HasSubstr("phase fill"), HasSubstr("no water")));
    EXPECT_THAT(journal.lines(), ElementsAre("prepare", "stopped"));
    EXPECT_EQ(process_count(), 0U);
}

TEST_F(ApplicationHooks, a_prepare_stop_that_throws_keeps_nothing_running) {
    add("a", {.stop = say("a stopped")});
    add("b", {.prepare_stop = &throw_it, .stop = say("b stopped")}, {"a"});
    ASSERT_TRUE(applications.ensure_all_started("b"));
    auto const stopped = applications.stop_all();
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().message(), HasSubstr("application b: prepare_stop() threw: no water"));
    EXPECT_THAT(journal.lines(), ElementsAre("b stopped", "a stopped"));
    EXPECT_EQ(process_count(), 0U);
}

TEST_F(ApplicationHooks, that_throw_do_not_leave_the_destructor) {
    Hooked application("a", {.prepare_stop = &throw_it, .stop = &throw_it});
    {
        Applications others(simulation.node(), Config());
        ASSERT_TRUE(
            others.add({.name = "a",
                        .application = std::shared_ptr<Application>(std::shared_ptr<void>(), &application)}));
        ASSERT_TRUE(others.start("a"));
    }
    EXPECT_EQ(process_count(), 0U);
    EXPECT_TRUE(simulation.has_logged("prepare_stop() threw"));
}

TEST_F(ApplicationHooks, are_called_in_a_simulation_as_on_a_device) {
    Hooked application(
        "hub",
        {.start = say("hub start"),
         .phases = {"fill"},
         .phase =
             [this](std::string_view phase) {
                 journal.add("hub " + std::string(phase));
                 return Result<>();
             },
         .prepare_stop = say("hub prepare"),
         .stop = say("hub stop"),
         .needs = {{.name = "network",
                    .application = std::make_shared<Hooked>(
                        "network", Hooks{.start = say("network start"), .stop = say("network stop")})}}});
    auto const tree = simulation.start(application);
    ASSERT_TRUE(tree);
    EXPECT_TRUE(is_alive(*tree));
    EXPECT_THAT(journal.lines(), ElementsAre("network start", "hub start", "hub fill"));
    journal.clear();
    ASSERT_TRUE(simulation.stop_applications());
    EXPECT_THAT(journal.lines(), ElementsAre("hub prepare", "hub stop", "network stop"));
    EXPECT_EQ(process_count(), 0U);
}

TEST_F(ApplicationHooks, are_not_called_by_a_simulation_that_just_ends) {
    Simulation other;
    {
        Hooked application("a", {.prepare_stop = say("prepare"), .stop = say("stop")});
        ASSERT_TRUE(other.start(application));
    }
    EXPECT_THAT(journal.lines(), IsEmpty());
}

TEST_F(ApplicationHooks, a_start_reaches_the_log) {
    log::Logger* found = nullptr;
    Hooked application("a", {.start = [&found] { found = log::current_logger(); }});
    ASSERT_TRUE(simulation.start(application));
    ASSERT_NE(found, nullptr);
    log::warning("drip");
    log::debug("drip drip");
    EXPECT_EQ(found->ring().grep("drip", 10).size(), 1U) << "from its level on";
}

} // namespace
} // namespace sinew::testing
