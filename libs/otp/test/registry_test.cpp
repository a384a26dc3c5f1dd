// Registries: unique and duplicate keys, via-names, listeners, and what remains of a process that ended.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Names = Registry<std::string, int>;
using Viewers = DuplicateRegistry<std::string, std::string>;

struct WhoAreYou {
    using Reply = std::string;
};
class Room : public Server<Room> {
public:
    struct Options {
        std::string name = {};
    };
    explicit Room(Options options)
        : m_name(std::move(options.name)) {}
    std::string handle_call(WhoAreYou /*request*/) { return m_name; }

private:
    std::string m_name;
};

class Listener : public Server<Listener> {
public:
    explicit Listener(Journal& journal)
        : m_journal(&journal) {}
    void handle_info(RegistryEvent<std::string> event) {
        m_journal->add((event.what == RegistryEvent<std::string>::What::registered ? "+" : "-") + event.key);
    }

private:
    Journal* m_journal;
};

class Registries : public WorldTest {
protected:
    void register_in(Names const& names, ProbeRef probe, std::string const& key, int value = 0) {
        in(probe, [names, key, value](Probe&) { ASSERT_TRUE(names.register_key(key, value)); });
    }
};
SINEW_IN_BOTH_WORLDS(Registries);

TEST_P(Registries, with_unique_keys_have_one_owner_a_key) {
    auto const names = Names::create({.name = "names"});
    auto const a = start("a");
    auto const b = start("b");
    register_in(names, a, "x", 7);
    auto const entry = names.lookup("x");
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->process, a.pid());
    EXPECT_EQ(entry->value, 7);
    in(b, [names, a](Probe&) {
        auto const refused = names.register_key("x");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::exists);
        EXPECT_THAT(refused.error().message(), HasSubstr(a.pid().to_string()));
    });
    in(a, [names](Probe&) { EXPECT_FALSE(names.register_key("x")); });
}

TEST_P(Registries, let_one_process_have_many_keys_and_give_them_up) {
    auto const names = Names::create();
    auto const a = start("a");
    register_in(names, a, "x");
    register_in(names, a, "y");
    EXPECT_THAT(names.keys(a), UnorderedElementsAre("x", "y"));
    in(a, [names](Probe&) { names.unregister("x"); });
    EXPECT_THAT(names.keys(a), ElementsAre("y"));
    EXPECT_FALSE(names.whereis("x"));
    EXPECT_EQ(names.size(), 1U);
}

TEST_P(Registries, let_nobody_unregister_or_change_the_key_of_another) {
    auto const names = Names::create();
    auto const a = start("a");
    register_in(names, a, "x", 1);
    in(start("b"), [names](Probe&) {
        names.unregister("x");
        EXPECT_FALSE(names.update_value("x", [](int& value) { value = 9; }));
    });
    EXPECT_EQ(names.lookup("x")->value, 1);
    in(a, [names](Probe&) { EXPECT_TRUE(names.update_value("x", [](int& value) { value = 2; })); });
    EXPECT_EQ(names.lookup("x")->value, 2);
}

TEST_P(Registries, forget_a_process_before_anyone_hears_of_its_end) {
    auto const names = Names::create();
    auto const a = start("a");
    register_in(names, a, "x");
    class Successor : public Server<Successor> {
    public:
        Successor(Names names, Pid pid, Journal& journal)
            : m_names(std::move(names))
            , m_journal(&journal) {
            monitor(pid);
        }
        void handle_info(Down /*message*/) {
            m_journal->add(m_names.register_key("x") ? "registered" : "taken");
        }

    private:
        Names m_names;
        Journal* m_journal;
    };
    (void)world.node().start<Successor>({}, names, a.pid(), std::ref(journal)).value();
    exit(a, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("registered"));
    EXPECT_THAT(names.keys(a), IsEmpty());
}

TEST_P(Registries, dispatch_calls_the_function_only_if_the_key_is_registered) {
    auto const names = Names::create();
    auto const a = start("a");
    register_in(names, a, "x", 3);
    int calls = 0;
    names.dispatch("nobody", [&calls](auto const&) { ++calls; });
    EXPECT_EQ(calls, 0);
    names.dispatch("x", [&](auto const& entry) {
        ++calls;
        EXPECT_EQ(entry.process, a.pid());
        EXPECT_EQ(entry.value, 3);
    });
    EXPECT_EQ(calls, 1);
}

TEST_P(Registries, give_addresses_that_are_usable_wherever_a_name_is) {
    auto const rooms = Registry<std::string>::create();
    auto const lobby =
        world.node().start<Room>({.via = rooms.via<Room>("lobby")}, Room::Options{"the lobby"}).value();
    EXPECT_EQ(whereis(rooms.via<Room>("lobby")), lobby);
    EXPECT_EQ(call(rooms.via<Room>("lobby"), WhoAreYou{}).value(), "the lobby");
    EXPECT_EQ(call(rooms.via<Room>("attic"), WhoAreYou{}).error().code(), ErrorCode::not_found);
    auto const asker = start("asker");
    in(asker, [rooms](Probe& probe) {
        request(rooms.via<Room>("lobby"), WhoAreYou{}).then([&probe](Result<std::string> answer) {
            probe.say(*answer);
        });
    });
    EXPECT_THAT(lines(), ElementsAre("asker: the lobby"));
    ASSERT_TRUE(stop_and_wait(lobby));
    EXPECT_FALSE(whereis(rooms.via<Room>("lobby")));
}

TEST_P(Registries, refuse_a_second_process_under_the_same_address) {
    auto const rooms = Registry<std::string>::create();
    auto const lobby = world.node().start<Room>({.via = rooms.via<Room>("lobby")}, Room::Options{}).value();
    auto const second = world.node().start<Room>({.via = rooms.via<Room>("lobby")}, Room::Options{});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::exists);
    EXPECT_THAT(second.error().message(), HasSubstr(lobby.pid().to_string()));
    world.settle();
    EXPECT_EQ(world.node().process_count(), 1U);
}

TEST_P(Registries, do_not_find_a_process_of_another_class) {
    auto const names = Registry<std::string>::create();
    auto const a = start("a");
    in(a, [names](Probe&) { ASSERT_TRUE(names.register_key("x")); });
    EXPECT_FALSE(whereis(names.via<Room>("x")));
    EXPECT_EQ(whereis(names.via<Probe>("x")), a);
}

TEST_P(Registries, keep_the_address_of_a_child_over_its_restarts) {
    auto const rooms = Registry<std::string>::create();
    (void)world.node()
        .start(supervise(Strategy::one_for_one,
                         {child<Room>({"the lobby"}, {.id = "room", .via = rooms.via<Room>("lobby")})}))
        .value();
    Pid const first = whereis(rooms.via<Room>("lobby"));
    exit(first, ExitReason::kill());
    world.settle();
    EXPECT_EQ(call(rooms.via<Room>("lobby"), WhoAreYou{}).value(), "the lobby");
    EXPECT_NE(whereis(rooms.via<Room>("lobby")).pid(), first);
}

TEST_P(Registries, tell_their_listeners_who_comes_and_goes) {
    auto const listener = world.node().start<Listener>({}, std::ref(journal)).value();
    auto const names = Names::create({.listeners = {listener}});
    auto const a = start("a");
    register_in(names, a, "x");
    register_in(names, a, "y");
    in(a, [names](Probe&) { names.unregister("x"); });
    exit(a, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("+x", "+y", "-x", "-y"));
}

TEST_P(Registries, with_duplicate_keys_hold_many_processes_and_one_several_times) {
    auto const viewers = Viewers::create();
    auto const a = start("a");
    auto const b = start("b");
    in(a, [viewers](Probe&) {
        ASSERT_TRUE(viewers.register_key("news", "de"));
        ASSERT_TRUE(viewers.register_key("news", "en"));
    });
    in(b, [viewers](Probe&) { ASSERT_TRUE(viewers.register_key("news", "fr")); });
    EXPECT_EQ(viewers.count("news"), 3U);
    in(b, [viewers](Probe&) { ASSERT_TRUE(viewers.register_key("weather", "it")); });
    EXPECT_EQ(viewers.size(), 4U);
    std::vector<std::string> all;
    viewers.for_each(
        [&all](std::string const& key, auto const& entry) { all.push_back(key + " " + entry.value); });
    EXPECT_THAT(all, UnorderedElementsAre("news de", "news en", "news fr", "weather it"));
    in(b, [viewers](Probe&) { viewers.unregister("weather"); });
    EXPECT_EQ(viewers.size(), 3U);
    std::vector<std::string> languages;
    viewers.dispatch("news", [&languages](auto const& entries) {
        for (auto const& entry : entries) {
            languages.push_back(entry.value);
        }
    });
    EXPECT_THAT(languages, ElementsAre("de", "en", "fr"));
    EXPECT_THAT(viewers.keys(a), ElementsAre("news", "news"));
    in(a, [viewers](Probe&) { viewers.unregister("news"); });
    EXPECT_EQ(viewers.count("news"), 1U);
    exit(b, ExitReason::kill());
    world.settle();
    EXPECT_THAT(viewers.lookup("news"), IsEmpty());
    bool was_called = false;
    viewers.dispatch("news", [&was_called](auto const&) { was_called = true; });
    EXPECT_FALSE(was_called);
}

TEST_P(Registries, can_go_before_the_processes_they_know) {
    auto const a = start("a");
    {
        auto const names = Names::create();
        register_in(names, a, "x");
    }
    exit(a, ExitReason::kill());
    world.settle();
    EXPECT_EQ(world.node().process_count(), 0U);
}

TEST_P(Registries, do_not_register_a_process_in_its_destructor) {
    class Late : public Server<Late> {
    public:
        explicit Late(Names names)
            : m_names(std::move(names)) {}
        ~Late() { (void)m_names.register_key("late"); }

    private:
        Names m_names;
    };
    auto const names = Names::create();
    auto const late = world.node().start<Late>({}, names).value();
    ASSERT_TRUE(stop_and_wait(late));
    world.settle();
    EXPECT_EQ(names.size(), 0U);
}

TEST(RegistryErrors, are_clear_outside_a_process) {
    Simulation simulation;
    auto const names = Names::create();
    EXPECT_THROW((void)names.register_key("x"), std::logic_error);
}

} // namespace
} // namespace sinew::testing
