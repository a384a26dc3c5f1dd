// What a process has besides its handlers: values of its own, links and monitors of names, priorities.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;

class ProcessLocals : public WorldTest {};
SINEW_IN_BOTH_WORLDS(ProcessLocals);

TEST_P(ProcessLocals, each_process_has_its_own) {
    struct Count {
        int value = 0;
    };
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    in(a, [](Probe&) { ++process_local<Count>().value; });
    in(a, [](Probe&) { EXPECT_EQ(++process_local<Count>().value, 2); });
    in(b, [](Probe&) { EXPECT_EQ(process_local<Count>().value, 0); });
}

TEST_P(ProcessLocals, they_end_with_their_process) {
    struct Held {
        std::shared_ptr<int> value;
    };
    auto const shared = std::make_shared<int>(1);
    ProbeRef const a = start("a");
    in(a, [&](Probe&) { process_local<Held>().value = shared; });
    EXPECT_EQ(shared.use_count(), 2);
    exit(a, ExitReason::kill());
    world.settle();
    EXPECT_EQ(shared.use_count(), 1);
}

class MonitorsOfNames : public WorldTest {};
SINEW_IN_BOTH_WORLDS(MonitorsOfNames);

TEST_P(MonitorsOfNames, watch_who_has_the_name_now) {
    ProbeRef const a = start("a");
    ProbeRef const b =
        world.node().start<Probe>({.name = "b"}, Probe::Options{.name = "b", .journal = &journal}).value();
    in(a, [](Probe&) { monitor(name<Probe>("b")); });
    exit(b, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("a: DOWN b killed"));
}

TEST_P(MonitorsOfNames, a_free_name_is_down_at_once) {
    ProbeRef const a = start("a");
    in(a, [](Probe&) { monitor(name<Probe>("nobody")); });
    EXPECT_THAT(lines(), ElementsAre("a: DOWN ? noproc"));
}

struct Nudge {};

TEST(Priorities, high_goes_before_normal_and_low_after_it) {
    struct Shared {
        std::vector<std::string> order;
    };
    class Runner : public Server<Runner> {
    public:
        Runner(Shared& shared, std::string name, Priority priority)
            : m_shared(&shared)
            , m_name(std::move(name)) {
            set_priority(priority);
        }
        void handle_info(Nudge /*message*/) { m_shared->order.push_back(m_name); }

    private:
        Shared* m_shared;
        std::string m_name;
    };
    Simulation sim;
    Shared shared;
    auto const low = sim.node().start<Runner>({}, std::ref(shared), "low", Priority::low).value();
    auto const normal = sim.node().start<Runner>({}, std::ref(shared), "normal", Priority::normal).value();
    auto const high = sim.node().start<Runner>({}, std::ref(shared), "high", Priority::high).value();
    for (auto const& runner : {low, normal, high}) {
        send(runner, Nudge{});
    }
    sim.run_until_settled();
    EXPECT_THAT(shared.order, ElementsAre("high", "normal", "low"));
}

class Links : public WorldTest {};
SINEW_IN_BOTH_WORLDS(Links);

TEST_P(Links, a_link_needs_a_process_on_both_sides) {
    class Bystander : public Server<Bystander> {};
    EXPECT_THROW((void)spawn_link<Bystander>(), std::logic_error);
    EXPECT_THROW((void)spawn_monitor([] {}), std::logic_error);
}

} // namespace
} // namespace sinew::testing
