// What goes wrong half-way: requests that can't begin, exceptions that pass by a Deferred, starts that stop
// themselves; and what is out of range.
#include "restart_limit.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/introspection.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A request that throws when it is to be sent.
Request<int> impossible() {
    return Request<int>(
        detail::custom_request([](detail::ReplyPath /*path*/) { throw std::runtime_error("no thread"); },
                               detail::RequestLabel{{}, "the impossible"}, 1s));
}

struct Ask {
    using Reply = std::string;
};
struct Continue {};
struct Swallow {
    using Reply = int;
};

class Unlucky : public Server<Unlucky> {
public:
    Async<std::string> handle_call(Ask /*request*/) {
        auto asked = impossible();
        std::string text;
        try {
            auto const answer = co_await asked;
            text = answer ? "answered" : answer.error().message();
        } catch (std::runtime_error const& error) {
            text = error.what();
        }
        co_return text;
    }
    void handle_info(Continue /*message*/) {
        impossible().then([](Result<int> const& /*answer*/) {});
    }
    void handle_call(Swallow /*request*/, Deferred<Swallow> reply) {
        try {
            auto const dropped = std::move(reply);
            throw std::runtime_error("caught below");
        } catch (std::runtime_error const&) {
            m_caught += 1;
        }
    }

private:
    int m_caught = 0;
};

class Edges : public WorldTest {};
SINEW_IN_BOTH_WORLDS(Edges);

TEST_P(Edges, a_request_that_can_not_begin_throws_where_it_is_awaited) {
    auto const unlucky = world.node().start<Unlucky>().value();
    EXPECT_EQ(call(unlucky, Ask{}).value(), "no thread");
    EXPECT_EQ(call(unlucky, Ask{}).value(), "no thread") << "it handles messages as before";
}

TEST_P(Edges, a_continued_request_that_can_not_begin_ends_its_process) {
    auto const unlucky = world.node().start<Unlucky>().value();
    send(unlucky, Continue{});
    world.settle();
    EXPECT_FALSE(is_alive(unlucky));
}

TEST_P(Edges, a_deferred_that_a_caught_exception_passed_by_is_dropped) {
    auto const unlucky = world.node().start<Unlucky>().value();
    auto const answer = call(unlucky, Swallow{}, Duration::max());
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message(), HasSubstr("dropped the question"));
    EXPECT_TRUE(is_alive(unlucky));
}

TEST_P(Edges, stop_in_init_is_a_failed_start_without_terminate) {
    auto const started =
        world.node().start<Probe>({}, Probe::Options{.name = "a",
                                                     .journal = &journal,
                                                     .journals_terminate = true,
                                                     .on_init = [](Probe& probe) -> Result<Start> {
                                                         probe.stop(ExitReason::shutdown("no licence"));
                                                         return Start::running;
                                                     }});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("no licence"));
    EXPECT_THAT(lines(), ::testing::IsEmpty());
}

TEST_P(Edges, a_link_needs_a_process_on_both_sides) {
    EXPECT_THROW((void)spawn_link<Unlucky>(), std::logic_error);
    EXPECT_THROW((void)spawn_monitor([] {}), std::logic_error);
}

TEST_P(Edges, the_details_of_a_process_name_its_ancestors) {
    ProbeRef const a = start("a");
    ProbeRef b;
    ProbeRef c;
    in(a, [&](Probe&) { b = spawn_link<Probe>(Probe::Options{.name = "b", .journal = &journal}); });
    in(b, [&](Probe&) {
        set_label("the middle");
        c = spawn_link<Probe>(Probe::Options{.name = "c", .journal = &journal, .traps_exit = true});
        monitor(c);
    });
    ProcessDetails const middle = call(system_of(b), GetDetails{}).value();
    EXPECT_EQ(middle.label, "the middle");
    EXPECT_EQ(middle.parent, a.pid());
    EXPECT_THAT(middle.ancestors, ElementsAre(a.pid()));
    EXPECT_THAT(middle.links, ::testing::UnorderedElementsAre(a.pid(), c.pid()));
    EXPECT_EQ(middle.monitors, 1U);
    EXPECT_FALSE(middle.traps_exit);
    ProcessDetails const last = call(system_of(c), GetDetails{}).value();
    EXPECT_THAT(last.ancestors, ElementsAre(b.pid(), a.pid()));
    EXPECT_EQ(last.watchers, 1U);
    EXPECT_TRUE(last.traps_exit);
}

TEST(DelayedSends, reach_another_process_or_whoever_has_the_name_then) {
    World world(Mode::simulation);
    Journal journal;
    auto const start = [&](std::string const& name) {
        return world.node()
            .start<Probe>({.name = name}, Probe::Options{.name = name, .journal = &journal})
            .value();
    };
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    (void)call(a, RunInside{[b](Probe&) {
                   sinew::send_after(1s, b, Note{"by pid"});
                   sinew::send_after(2s, name<Probe>("c"), Note{"by name"});
                   sinew::send_after(3s, name<Probe>("nobody"), Note{"never"});
                   cancel(sinew::send_after(4s, b, Note{"cancelled"}));
               }});
    (void)start("c");
    world.simulation().advance(1s - 1ns);
    EXPECT_THAT(journal.lines(), ::testing::IsEmpty());
    world.simulation().advance(10s);
    EXPECT_THAT(journal.lines(), ElementsAre("b: by pid", "c: by name"));
    (void)call(a, RunInside{[b](Probe&) { sinew::send_after(1s, b, Note{"of a dead one"}); }});
    exit(a, ExitReason::kill());
    world.simulation().advance(10s);
    EXPECT_THAT(journal.lines(), ::testing::SizeIs(2));
}

TEST(Times, beyond_the_last_one_are_that_one) {
    Simulation simulation;
    EXPECT_TRUE(simulation.travel_until_settled(Duration::max()));
    auto const unlucky = simulation.node().start<Unlucky>().value();
    EXPECT_EQ(call(unlucky, Ask{}, Duration::max() - 1ns).value(), "no thread");
}

TEST(RestartLimits, of_any_size_need_no_more_memory_than_restarts) {
    detail::RestartLimit limit(std::numeric_limits<unsigned>::max(), 1h);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(limit.add(MonotonicTime(Duration(i))));
    }
}

/// Ends as it is told; when it is to fail, its next start does, too.
struct Finish {};
struct Crash {};
class Important : public Server<Important> {
public:
    struct Options {
        bool* fails_to_start = nullptr;
    };
    explicit Important(Options options)
        : m_options(options) {}
    Result<> init() {
        if (m_options.fails_to_start != nullptr && *m_options.fails_to_start) {
            return failure(ErrorCode::unavailable, "not yet");
        }
        return {};
    }
    void handle_info(Finish /*message*/) { stop(); }
    void handle_info(Crash /*message*/) {
        *m_options.fails_to_start = true;
        throw std::runtime_error("crash");
    }

private:
    Options m_options;
};

TEST(Shutdowns, of_negative_time_are_refused) {
    Simulation simulation;
    auto const tree = simulation.node().start(supervise(
        Strategy::one_for_one, {child<Important>({}, {.id = "it", .shutdown = Shutdown::after(-1s)})}));
    ASSERT_FALSE(tree);
    EXPECT_THAT(tree.error().message(), HasSubstr("child 'it' has a negative shutdown time"));
    auto const dynamic = simulation.node().start<DynamicSupervisor>({}, DynamicSupervisor::Options{}).value();
    auto const started =
        call(dynamic, StartChild{child<Important>({}, {.id = "it", .shutdown = Shutdown::after(-1s)})});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("negative shutdown time"));
}

TEST(SignificantChildren, that_wait_for_their_restart_count_as_running) {
    Simulation simulation;
    bool fails = false;
    auto const options = [](std::string id) {
        return ChildOptions{.id = std::move(id), .restart = Restart::transient, .is_significant = true};
    };
    auto const tree = simulation.node()
                          .start(supervise(SupervisorOptions{.intensity = 100,
                                                             .period = 1h,
                                                             .auto_shutdown = AutoShutdown::all_significant,
                                                             .backoff = {.first = 1s, .longest = 1s}},
                                           {child<Important>({&fails}, options("first")),
                                            child<Important>({}, options("second"))}))
                          .value();
    send(name<Important>("first"), Crash{});
    simulation.advance(100ms);
    send(name<Important>("second"), Finish{});
    simulation.advance(100ms);
    EXPECT_TRUE(is_alive(tree.pid())) << "the first one is still to come back";
    fails = false;
    simulation.advance(5s);
    send(name<Important>("first"), Finish{});
    simulation.advance(1s);
    EXPECT_FALSE(is_alive(tree.pid()));
}

} // namespace
} // namespace sinew::testing
