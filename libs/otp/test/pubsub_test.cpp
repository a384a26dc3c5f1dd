// Publish and subscribe: topics, patterns, and subscribers that come and go.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Alarm {
    int level = 0;
};

/// Subscribes itself in init().
class Reader : public Server<Reader> {
public:
    struct Options {
        std::string name;
        Journal* journal = nullptr;
        std::function<void(Reader&)> on_init = {};
    };
    explicit Reader(Options options)
        : m_options(std::move(options)) {}
    void init() { m_options.on_init(*this); }
    void handle_cast(std::function<void(Reader&)> function) { function(*this); }
    void handle_info(Note note) { m_options.journal->add(m_options.name + ": " + note.text); }
    void handle_info(Alarm alarm) {
        m_options.journal->add(m_options.name + ": alarm " + std::to_string(alarm.level));
    }

private:
    Options m_options;
};

class PubSubs : public WorldTest {
protected:
    ServerRef<Reader> start_reader(std::string name, std::function<void(Reader&)> on_init) {
        return world.node()
            .start<Reader>({}, Reader::Options{std::move(name), &journal, std::move(on_init)})
            .value();
    }
    ServerRef<Reader> subscribe(std::string name, std::string topic) {
        return start_reader(std::move(name), [this, topic](Reader& reader) {
            ASSERT_TRUE(bus.subscribe<Note>(reader.self(), topic));
        });
    }
    PubSub bus = PubSub::create();
};
SINEW_IN_BOTH_WORLDS(PubSubs);

TEST_P(PubSubs, bring_a_message_to_all_subscribers_of_its_topic) {
    subscribe("a", "news");
    subscribe("b", "news");
    subscribe("c", "weather");
    EXPECT_EQ(bus.broadcast("news", Note{"hello"}), 2U);
    EXPECT_THAT(lines(), UnorderedElementsAre("a: hello", "b: hello"));
}

TEST_P(PubSubs, do_not_mind_when_nobody_subscribed) {
    EXPECT_EQ(bus.broadcast("news", Note{"hello"}), 0U);
}

TEST_P(PubSubs, bring_it_twice_to_one_that_subscribed_twice) {
    start_reader("a", [this](Reader& reader) {
        ASSERT_TRUE(bus.subscribe<Note>(reader.self(), "news"));
        ASSERT_TRUE(bus.subscribe<Note>(reader.self(), "news"));
    });
    bus.broadcast("news", Note{"hello"});
    EXPECT_THAT(lines(), ElementsAre("a: hello", "a: hello"));
}

TEST_P(PubSubs, end_all_of_the_callers_subscriptions_to_a_topic_at_once) {
    auto const a = start_reader("a", [this](Reader& reader) {
        ASSERT_TRUE(bus.subscribe<Note>(reader.self(), "news"));
        ASSERT_TRUE(bus.subscribe<Note>(reader.self(), "news"));
        ASSERT_TRUE(bus.subscribe<Note>(reader.self(), "weather"));
    });
    subscribe("b", "news");
    cast(a, std::function<void(Reader&)>([this](Reader&) { bus.unsubscribe("news"); }));
    world.settle();
    EXPECT_EQ(bus.broadcast("news", Note{"hello"}), 1U);
    EXPECT_EQ(bus.broadcast("weather", Note{"sun"}), 1U);
    EXPECT_THAT(lines(), UnorderedElementsAre("b: hello", "a: sun"));
}

TEST_P(PubSubs, leave_the_sender_out_if_it_asks) {
    auto const a = subscribe("a", "news");
    subscribe("b", "news");
    cast(a, std::function<void(Reader&)>([this](Reader&) { bus.broadcast_from("news", Note{"mine"}); }));
    EXPECT_THAT(lines(), ElementsAre("b: mine"));
}

TEST_P(PubSubs, forget_subscribers_that_end) {
    auto const a = subscribe("a", "news");
    auto const b = subscribe("b", "#");
    exit(a, ExitReason::kill());
    exit(b, ExitReason::kill());
    world.settle();
    EXPECT_EQ(bus.subscriber_count("news"), 0U);
    EXPECT_EQ(bus.broadcast("news", Note{"hello"}), 0U);
}

TEST_P(PubSubs, match_patterns_of_levels) {
    subscribe("one", "garden/+/temperature");
    subscribe("all", "garden/#");
    subscribe("exact", "garden/north/temperature");
    bus.broadcast("garden/north/temperature", Note{"1"});
    EXPECT_THAT(lines(), UnorderedElementsAre("one: 1", "all: 1", "exact: 1"));
    journal.clear();
    bus.broadcast("garden/north/humidity", Note{"2"});
    EXPECT_THAT(lines(), ElementsAre("all: 2"));
}

TEST_P(PubSubs, notice_patterns_that_come_after_a_topic_was_used) {
    subscribe("a", "garden/north");
    bus.broadcast("garden/north", Note{"1"});
    subscribe("b", "garden/+");
    bus.broadcast("garden/north", Note{"2"});
    EXPECT_THAT(lines(), UnorderedElementsAre("a: 1", "a: 2", "b: 2"));
}

TEST_P(PubSubs, bring_a_subscriber_the_type_it_asked_for_only) {
    start_reader("a", [this](Reader& reader) { ASSERT_TRUE(bus.subscribe<Alarm>(reader.self(), "fire")); });
    EXPECT_EQ(bus.broadcast("fire", Note{"text"}), 0U);
    EXPECT_EQ(bus.broadcast("fire", Alarm{3}), 1U);
    EXPECT_THAT(lines(), ElementsAre("a: alarm 3"));
}

TEST_P(PubSubs, choose_subscribers_by_their_metadata) {
    for (char const* const language : {"de", "en"}) {
        start_reader(language, [this, language](Reader& reader) {
            ASSERT_TRUE(bus.subscribe<Note>(reader.self(), "news", language));
        });
    }
    bus.broadcast_if("news", Note{"hallo"},
                     [](auto const& subscription) { return subscription.metadata == "de"; });
    EXPECT_THAT(lines(), ElementsAre("de: hallo"));
}

TEST_P(PubSubs, keep_the_order_of_one_sender) {
    subscribe("a", "news");
    for (int i = 0; i < 5; ++i) {
        bus.broadcast("news", Note{std::to_string(i)});
    }
    EXPECT_THAT(lines(), ElementsAre("a: 0", "a: 1", "a: 2", "a: 3", "a: 4"));
}

TEST_P(PubSubs, refuse_malformed_topics) {
    start_reader("a", [this](Reader& reader) {
        for (char const* const topic : {"", "a/#/b", "a+", "x/b#"}) {
            auto const refused = bus.subscribe<Note>(reader.self(), topic);
            EXPECT_FALSE(refused) << topic;
            EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
        }
    });
    EXPECT_EQ(bus.subscriber_count("a"), 0U);
}

TEST_P(PubSubs, do_not_let_a_process_subscribe_another) {
    auto const a = subscribe("a", "x");
    auto const b = start_reader("b", [](Reader&) {});
    watch(b);
    cast(b, std::function<void(Reader&)>([this, a](Reader&) { (void)bus.subscribe<Note>(a, "news"); }));
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("can subscribe only itself")));
}

TEST(TopicPatterns, match_level_by_level) {
    using detail::matches_topic;
    EXPECT_TRUE(matches_topic("a/b", "a/b"));
    EXPECT_FALSE(matches_topic("a/b", "a"));
    EXPECT_FALSE(matches_topic("a", "a/b"));
    EXPECT_TRUE(matches_topic("+", "a"));
    EXPECT_FALSE(matches_topic("+", "a/b"));
    EXPECT_TRUE(matches_topic("+/b", "a/b"));
    EXPECT_TRUE(matches_topic("#", "a/b/c"));
    EXPECT_TRUE(matches_topic("a/#", "a/b/c"));
    EXPECT_TRUE(matches_topic("a/#", "a"));
    EXPECT_FALSE(matches_topic("a/#", "b/a"));
    EXPECT_TRUE(matches_topic("a//b", "a//b"));
    EXPECT_TRUE(matches_topic("a/+/b", "a//b"));
}

} // namespace
} // namespace sinew::testing
