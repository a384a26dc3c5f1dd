// Property tables: names, patterns, events, and writers that crash.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {

struct Address {
    std::string address;
    int prefix_length = 0;
};
BOOST_DESCRIBE_STRUCT(Address, (), (address, prefix_length))

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string text_of(std::optional<Value> const& value) {
    return value ? format_json(*value) : "-";
}

class Listener : public Server<Listener> {
public:
    Listener(PropertyTable table, std::vector<std::string> patterns, std::vector<PropertyEvent>& events)
        : m_table(std::move(table))
        , m_patterns(std::move(patterns))
        , m_events(&events) {}
    Result<> init() {
        for (std::string const& pattern : m_patterns) {
            TRY_OK(m_table.subscribe(self(), pattern));
        }
        return {};
    }
    struct Forget {
        std::string pattern;
    };
    void handle_cast(Forget message) { m_table.unsubscribe(message.pattern); }
    void handle_info(PropertyEvent event) { m_events->push_back(std::move(event)); }

private:
    PropertyTable m_table;
    std::vector<std::string> m_patterns;
    std::vector<PropertyEvent>* m_events;
};

class PropertyTables : public ::testing::Test {
protected:
    ServerRef<Listener> listen(std::vector<std::string> patterns) {
        return simulation.node().start<Listener>({}, table, std::move(patterns), std::ref(events)).value();
    }
    /// "name old -> new" of each event.
    std::vector<std::string> heard() {
        simulation.run_until_settled();
        std::vector<std::string> result;
        for (PropertyEvent const& event : events) {
            result.push_back(event.name.to_string() + " " + text_of(event.old_value) + " -> " +
                             text_of(event.new_value));
        }
        return result;
    }
    std::vector<std::string> names(std::vector<Property> const& properties) {
        std::vector<std::string> result;
        for (Property const& property : properties) {
            result.push_back(property.name.to_string());
        }
        return result;
    }
    Simulation simulation;
    PropertyTable table = PropertyTable::create("network");
    std::vector<PropertyEvent> events;
};

TEST_F(PropertyTables, hold_values_of_any_type_under_hierarchical_names) {
    table.put("interface/eth0/lower_up", true);
    table.put("interface/eth0/mtu", 1500);
    table.put("interface/eth0/type", "ethernet");
    table.put("interface/eth0/addresses", std::vector<Address>{{"10.0.0.7", 24}});
    EXPECT_EQ(table.get_as<bool>("interface/eth0/lower_up").value(), true);
    EXPECT_EQ(table.get_as<int>("interface/eth0/mtu").value(), 1500);
    EXPECT_EQ(table.get_as<std::string>("interface/eth0/type").value(), "ethernet");
    auto const addresses = table.get_as<std::vector<Address>>("interface/eth0/addresses").value();
    ASSERT_EQ(addresses.size(), 1U);
    EXPECT_EQ(addresses[0].address, "10.0.0.7");
    EXPECT_EQ(table.get("interface/eth0"), std::nullopt);
    EXPECT_EQ(table.get_as<int>("interface/eth1/mtu").error().code(), ErrorCode::not_found);
    EXPECT_EQ(table.get_as<int>("interface/eth0/type").error().code(), ErrorCode::invalid_argument);
}

TEST_F(PropertyTables, are_read_by_prefix_in_the_order_of_the_names) {
    for (char const* const name : {"interface/eth1/type", "interface/eth0/type", "interface/eth0/mtu",
                                   "interface/eth00/type", "name_servers"}) {
        table.put(name, 1);
    }
    EXPECT_THAT(names(table.get_by_prefix("interface/eth0")),
                ElementsAre("interface/eth0/mtu", "interface/eth0/type"));
    EXPECT_EQ(table.get_by_prefix({}).size(), 5U);
    EXPECT_THAT(table.get_by_prefix("nothing"), IsEmpty());
}

TEST_F(PropertyTables, match_wildcards_and_the_end_of_a_name) {
    for (char const* const name :
         {"interface/eth0/type", "interface/wlan0/type", "interface/wlan0/wifi/clients", "connection"}) {
        table.put(name, 1);
    }
    EXPECT_THAT(names(table.match("interface/*/type")),
                ElementsAre("interface/eth0/type", "interface/wlan0/type"));
    EXPECT_THAT(names(table.match("*/wlan0")),
                ElementsAre("interface/wlan0/type", "interface/wlan0/wifi/clients"));
    EXPECT_THAT(names(table.match("interface/*/*/$")),
                ElementsAre("interface/eth0/type", "interface/wlan0/type"));
    EXPECT_THAT(names(table.match("*/$")), ElementsAre("connection"));
}

TEST_F(PropertyTables, tell_subscribers_the_value_before_and_after_with_their_times) {
    listen({"interface/*/connection"});
    table.put("interface/eth0/connection", "lan");
    MonotonicTime const first = simulation.now();
    simulation.advance(3s);
    table.put("interface/eth0/connection", "internet");
    EXPECT_THAT(heard(), ElementsAre("interface/eth0/connection - -> \"lan\"",
                                     "interface/eth0/connection \"lan\" -> \"internet\""));
    EXPECT_EQ(events[1].table, "network");
    EXPECT_EQ(events[0].old_time, MonotonicTime());
    EXPECT_EQ(events[0].new_time, first);
    EXPECT_EQ(events[1].old_time, first);
    EXPECT_EQ(events[1].new_time - events[1].old_time, Duration(3s));
}

TEST_F(PropertyTables, say_nothing_when_a_value_stays_the_same_and_keep_its_time) {
    listen({""});
    table.put("a", std::vector<Address>{{"10.0.0.7", 24}});
    MonotonicTime const first = table.fetch("a")->time;
    simulation.advance(1s);
    table.put("a", std::vector<Address>{{"10.0.0.7", 24}});
    EXPECT_EQ(heard().size(), 1U);
    EXPECT_EQ(table.fetch("a")->time, first);
    table.put("a", std::vector<Address>{{"10.0.0.7", 16}});
    EXPECT_EQ(heard().size(), 2U);
}

TEST_F(PropertyTables, tell_of_deletions_once) {
    listen({"a"});
    table.put("a/b", 1);
    table.erase("a/b");
    table.erase("a/b");
    table.erase("a/c");
    EXPECT_THAT(heard(), ElementsAre("a/b - -> 1", "a/b 1 -> -"));
    EXPECT_EQ(table.get("a/b"), std::nullopt);
}

TEST_F(PropertyTables, delete_what_a_pattern_matches) {
    table.put("interface/eth0/type", 1);
    table.put("interface/eth0/wifi/clients", 2);
    table.put("interface/eth1/type", 3);
    listen({"interface"});
    table.erase_matches("interface/eth0");
    EXPECT_THAT(heard(), ElementsAre("interface/eth0/type 1 -> -", "interface/eth0/wifi/clients 2 -> -"));
    EXPECT_THAT(names(table.match("interface")), ElementsAre("interface/eth1/type"));
}

TEST_F(PropertyTables, change_many_at_one_time) {
    listen({""});
    table.put_many({{"a", Value(Value::Data(std::int64_t{1}))}, {"b", Value(Value::Data(std::int64_t{2}))}});
    EXPECT_THAT(heard(), ElementsAre("a - -> 1", "b - -> 2"));
    EXPECT_EQ(events[0].new_time, events[1].new_time);
}

TEST_F(PropertyTables, tell_each_subscription_and_stop_on_demand) {
    auto const listener = listen({"a", "a/*", "b"});
    table.put("a/x", 1);
    EXPECT_EQ(heard().size(), 2U);
    cast(listener, Listener::Forget{"a"});
    simulation.run_until_settled();
    table.put("a/x", 2);
    EXPECT_EQ(heard().size(), 3U);
}

TEST_F(PropertyTables, forget_subscribers_that_end_and_outlive_writers_that_crash) {
    auto const listener = listen({""});
    exit(listener, ExitReason::kill());
    simulation.run_until_settled();
    (void)spawn([table = table] {
        table.put("a", 1);
        throw std::runtime_error("boom");
    });
    simulation.run_until_settled();
    EXPECT_EQ(table.get_as<int>("a").value(), 1);
    EXPECT_THAT(events, IsEmpty());
}

TEST_F(PropertyTables, take_names_with_any_characters_as_levels) {
    PropertyName const name{"file", "/etc/hosts", "size"};
    table.put(name, 5);
    EXPECT_EQ(table.get_as<int>(name).value(), 5);
    EXPECT_THAT(names(table.match({"file", "*", "size"})), ElementsAre("file//etc/hosts/size"));
}

} // namespace
} // namespace sinew::testing
