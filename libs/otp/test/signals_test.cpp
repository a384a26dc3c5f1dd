// Links, exits and the order of signals, against what real OTP was observed to do (the names follow its
// probes).
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Signals : public WorldTest {};
SINEW_IN_BOTH_WORLDS(Signals);

ExitReason boom() {
    return ExitReason::error("boom");
}

TEST_P(Signals, exit_normal_from_another_is_ignored_by_a_process_that_does_not_trap) {
    auto const a = start("a");
    exit(a, ExitReason::normal());
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_TRUE(is_alive(a));
}

TEST_P(Signals, exit_normal_is_a_message_for_a_process_that_traps) {
    auto const a = start_trapping("a");
    auto const b = start("b");
    in(b, [a](Probe&) { exit(a, ExitReason::normal()); });
    EXPECT_THAT(lines(), ElementsAre("a: EXIT b normal"));
}

TEST_P(Signals, exit_normal_to_itself_ends_the_caller) {
    auto const a = start("a");
    watch(a);
    in(a, [](Probe&) { exit(self(), ExitReason::normal()); });
    EXPECT_THAT(lines(), ElementsAre("w: DOWN a normal"));
}

TEST_P(Signals, exit_with_a_reason_ends_a_process_that_does_not_trap) {
    auto const a = start("a");
    watch(a);
    exit(a, boom());
    EXPECT_THAT(lines(), ElementsAre("w: DOWN a error: boom"));
}

TEST_P(Signals, exit_with_a_reason_is_a_message_for_a_process_that_traps) {
    auto const a = start_trapping("a");
    exit(a, boom());
    EXPECT_THAT(lines(), ElementsAre("a: EXIT ? error: boom"));
    EXPECT_TRUE(is_alive(a));
}

TEST_P(Signals, kill_can_not_be_trapped_and_is_seen_as_killed) {
    auto const a = start_trapping("a");
    watch(a);
    exit(a, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("w: DOWN a killed"));
}

TEST_P(Signals, exit_to_a_dead_process_is_no_error) {
    auto const a = start("a");
    ASSERT_TRUE(stop_and_wait(a));
    exit(a, boom());
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Signals, a_process_that_ends_itself_with_kill_sends_kill_that_can_be_trapped) {
    auto const a = start("a");
    auto const b = start_trapping("b");
    in(b, [a](Probe&) { link(a); });
    in(a, [](Probe&) { exit_self(ExitReason::kill()); });
    EXPECT_THAT(lines(), ElementsAre("b: EXIT a kill"));
}

TEST_P(Signals, a_process_that_ends_itself_with_kill_kills_linked_ones_with_reason_kill) {
    auto const a = start("a");
    auto const b = start("b");
    watch(b);
    in(b, [a](Probe&) { link(a); });
    in(a, [](Probe&) { exit_self(ExitReason::kill()); });
    EXPECT_THAT(lines(), ElementsAre("w: DOWN b kill"));
}

TEST_P(Signals, killed_is_seen_by_a_linked_process_that_traps) {
    auto const a = start("a");
    auto const b = start_trapping("b");
    in(b, [a](Probe&) { link(a); });
    exit(a, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("b: EXIT a killed"));
}

TEST_P(Signals, a_linked_process_that_ends_normally_does_nothing_to_one_that_does_not_trap) {
    auto const a = start("a");
    auto const b = start("b");
    in(b, [a](Probe&) { link(a); });
    in(a, [](Probe& probe) { probe.stop(); });
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_FALSE(is_alive(a));
    EXPECT_TRUE(is_alive(b));
}

TEST_P(Signals, a_linked_process_that_ends_normally_is_a_message_for_one_that_traps) {
    auto const a = start("a");
    auto const b = start_trapping("b");
    in(b, [a](Probe&) { link(a); });
    in(a, [](Probe& probe) { probe.stop(); });
    EXPECT_THAT(lines(), ElementsAre("b: EXIT a normal"));
}

TEST_P(Signals, a_failure_spreads_over_links) {
    auto const a = start("a");
    auto const b = start("b");
    auto const c = start("c");
    watch(c);
    in(b, [a](Probe&) { link(a); });
    in(c, [b](Probe&) { link(b); });
    exit(a, boom());
    EXPECT_THAT(lines(), ElementsAre("w: DOWN c error: boom"));
    EXPECT_FALSE(is_alive(b));
}

TEST_P(Signals, an_exception_is_the_exit_reason_with_its_type) {
    auto const a = start("a");
    watch(a);
    in(a, [](Probe&) { throw std::out_of_range("no such line"); });
    EXPECT_THAT(lines(), ElementsAre("w: DOWN a std::out_of_range: no such line"));
}

TEST_P(Signals, something_thrown_that_is_no_exception_is_a_reason_too) {
    auto const a = start("a");
    watch(a);
    in(a, [](Probe&) { throw 42; });
    EXPECT_THAT(lines(), ElementsAre("w: DOWN a int: an exception that is not a std::exception"));
}

TEST_P(Signals, exit_self_ends_with_its_reason_and_runs_destructors) {
    auto const a = start("a");
    watch(a);
    in(a, [](Probe& probe) {
        struct Guard {
            Probe& probe;
            ~Guard() { probe.say("unwound"); }
        } const guard{probe};
        exit_self(boom());
    });
    EXPECT_THAT(lines(), ElementsAre("a: unwound", "w: DOWN a error: boom"));
}

TEST_P(Signals, linking_to_a_dead_process_is_noproc_for_one_that_traps) {
    auto const a = start("a");
    auto const b = start_trapping("b");
    ASSERT_TRUE(stop_and_wait(a));
    in(b, [a](Probe&) { link(a); });
    EXPECT_THAT(lines(), ElementsAre("b: EXIT a noproc"));
}

TEST_P(Signals, linking_to_a_dead_process_ends_one_that_does_not_trap) {
    auto const a = start("a");
    auto const b = start("b");
    watch(b);
    ASSERT_TRUE(stop_and_wait(a));
    in(b, [a](Probe&) { link(a); });
    EXPECT_THAT(lines(), ElementsAre("w: DOWN b noproc"));
}

TEST_P(Signals, linking_twice_gives_one_exit_message) {
    auto const a = start("a");
    auto const b = start_trapping("b");
    in(b, [a](Probe&) {
        link(a);
        link(a);
    });
    in(a, [](Probe& probe) { probe.stop(); });
    EXPECT_THAT(lines(), ElementsAre("b: EXIT a normal"));
}

TEST_P(Signals, linking_to_itself_changes_nothing) {
    auto const a = start("a");
    in(a, [](Probe&) { link(self()); });
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_TRUE(is_alive(a));
}

TEST_P(Signals, links_go_both_ways) {
    auto const a = start_trapping("a");
    auto const b = start_trapping("b");
    in(a, [b](Probe&) { link(b); });
    world.settle();
    in(b, [a](Probe&) { EXPECT_THAT(links(), ElementsAre(a.pid())); });
    in(a, [](Probe& probe) { probe.stop(); });
    EXPECT_THAT(lines(), ElementsAre("b: EXIT a normal"));
}

TEST_P(Signals, after_unlink_no_exit_arrives) {
    auto const a = start("a");
    auto const b = start_trapping("b");
    in(b, [a](Probe&) {
        link(a);
        unlink(a);
    });
    exit(a, boom());
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Signals, an_exit_message_already_in_the_mailbox_survives_unlink_but_not_a_flush) {
    for (Flush const flush : {Flush::no, Flush::yes}) {
        journal.clear();
        auto const b = start_trapping("b");
        in(b, [&](Probe& probe) {
            Pid const a = spawn_link([] {});
            journal.name(a, "a");
            cast(probe.self(), Later{[a, flush](Probe&) { unlink(a, flush); }});
        });
        auto const got = lines();
        EXPECT_LE(got.size(), flush == Flush::yes ? 0U : 1U);
    }
}

TEST_P(Signals, sending_to_a_dead_process_succeeds_silently) {
    auto const a = start("a");
    ASSERT_TRUE(stop_and_wait(a));
    send(a, Note{"hi"});
    cast(a, Later{});
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Signals, sending_to_a_free_name_is_no_error) {
    send(name<Probe>("nobody"), Note{"hi"});
    cast(name<Probe>, Later{});
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Signals, a_name_is_free_when_the_down_message_of_its_owner_is_handled) {
    auto const a =
        world.node().start<Probe>({.name = "a"}, Probe::Options{.name = "a", .journal = &journal}).value();
    auto const b = start("b");
    ASSERT_EQ(whereis(name<Probe>("a")), a);
    in(b, [a](Probe& probe) {
        monitor(a);
        exit(a, ExitReason::kill());
        probe.send_after(std::chrono::milliseconds(0), Note{"looks"});
    });
    world.settle();
    EXPECT_FALSE(whereis(name<Probe>("a")));
    EXPECT_THAT(lines(), ::testing::UnorderedElementsAre("b: DOWN a killed", "b: looks"));
}

TEST_P(Signals, signals_and_messages_of_one_sender_keep_their_order) {
    auto const b = start_trapping("b");
    auto const a = start("a");
    in(a, [b](Probe&) {
        for (int i = 0; i < 100; ++i) {
            send(b, Note{std::to_string(i)});
        }
        exit(b, boom());
        send(b, Note{"after"});
    });
    std::vector<std::string> expected;
    for (int i = 0; i < 100; ++i) {
        expected.push_back("b: " + std::to_string(i));
    }
    expected.emplace_back("b: EXIT a error: boom");
    expected.emplace_back("b: after");
    EXPECT_EQ(lines(), expected);
}

TEST_P(Signals, messages_arrive_before_the_down_of_their_sender) {
    auto const b = start("b");
    auto const a = start("a");
    in(b, [a](Probe&) { monitor(a); });
    in(a, [b](Probe& probe) {
        send(b, Note{"last words"});
        probe.stop();
    });
    EXPECT_THAT(lines(), ElementsAre("b: last words", "b: DOWN a normal"));
}

TEST_P(Signals, an_exit_signal_overtakes_the_mailbox) {
    auto const a = start("a");
    in(a, [](Probe& probe) {
        for (int i = 0; i < 10; ++i) {
            send(probe.self(), Note{"never handled"});
        }
        exit(self(), ExitReason::kill());
    });
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Signals, a_child_that_dies_at_once_is_reported_over_its_spawn_link) {
    auto const a = start_trapping("a");
    in(a, [](Probe&) { spawn_link([] { exit_self(ExitReason::error("early")); }); });
    EXPECT_THAT(lines(), ElementsAre("a: EXIT ? error: early"));
}

TEST_P(Signals, a_child_that_dies_at_once_is_reported_over_its_spawn_monitor) {
    auto const a = start("a");
    in(a, [](Probe&) { (void)spawn_monitor([] { exit_self(ExitReason::error("early")); }); });
    EXPECT_THAT(lines(), ElementsAre("a: DOWN ? error: early"));
}

TEST_P(Signals, a_stale_pid_never_reaches_the_next_process_in_its_place) {
    auto const a = start("a");
    ASSERT_TRUE(stop_and_wait(a));
    for (int i = 0; i < 200; ++i) {
        ProbeRef const other = start("other");
        EXPECT_NE(other, a);
        send(a, Note{"stale"});
        exit(a, ExitReason::kill());
        EXPECT_TRUE(is_alive(other));
        EXPECT_TRUE(stop_and_wait(other));
    }
    EXPECT_FALSE(is_alive(a));
    EXPECT_THAT(lines(), IsEmpty());
}

struct LinkTo {
    Pid peer;
};
class Idle : public Server<Idle> {
public:
    void handle_cast(LinkTo message) { link(message.peer); }
};

TEST_P(Signals, a_long_chain_of_links_ends_without_recursion) {
    NodeScope const scope(world.node());
    std::vector<ServerRef<Idle>> chain;
    for (int i = 0; i < 20'000; ++i) {
        chain.push_back(spawn<Idle>());
        if (i > 0) {
            cast(chain.back(), LinkTo{chain[chain.size() - 2]});
        }
    }
    world.settle();
    exit(chain.front(), boom());
    world.settle();
    EXPECT_FALSE(is_alive(chain.back()));
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Signals, the_state_is_destroyed_before_anyone_hears_of_the_end) {
    auto const b = start("b");
    auto const a = start("a");
    struct Tell {
        Journal& journal;
        ~Tell() { journal.add("destroyed"); }
    };
    auto tell = std::make_shared<std::shared_ptr<Tell>>(std::make_shared<Tell>(journal));
    in(b, [a](Probe&) { monitor(a); });
    in(a, [tell](Probe& probe) {
        probe.send_after(std::chrono::hours(1), Note{"never"});
        cast(probe.self(), Later{[held = std::exchange(*tell, nullptr)](Probe&) {}});
        exit(self(), ExitReason::kill());
    });
    EXPECT_THAT(lines(), ElementsAre("destroyed", "b: DOWN a killed"));
}

} // namespace
} // namespace sinew::testing
