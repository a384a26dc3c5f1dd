// Partitions: equal servers, each for a part of the keys.
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <thread>

namespace sinew::testing {
namespace {

using ::testing::HasSubstr;

struct WhichPart {
    using Reply = std::size_t;
};
class Part : public Server<Part> {
public:
    struct Options {
        std::size_t number = 0;
        bool fails = false;
    };
    explicit Part(Options options)
        : m_options(options) {}
    Result<> init() {
        if (m_options.fails) {
            return failure(ErrorCode::unavailable, "no room");
        }
        return {};
    }
    std::size_t handle_call(WhichPart /*request*/) const { return m_options.number; }

private:
    Options m_options;
};

TEST(PartitionsOf, servers_each_know_their_number) {
    Simulation simulation;
    Partitions<Part> const parts("parts", 5);
    (void)simulation.node()
        .start(parts.tree([](std::size_t n) { return Part::Options{.number = n}; }))
        .value();
    for (std::size_t number = 0; number < 5; ++number) {
        EXPECT_EQ(call(parts.all()[number], WhichPart{}).value(), number);
    }
}

TEST(PartitionsOf, servers_are_chosen_by_an_integer_modulo_their_count) {
    Simulation simulation;
    Partitions<Part> const parts("parts", 4);
    (void)simulation.node()
        .start(parts.tree([](std::size_t n) { return Part::Options{.number = n}; }))
        .value();
    EXPECT_EQ(call(parts.at(0), WhichPart{}).value(), 0U);
    EXPECT_EQ(call(parts.at(7), WhichPart{}).value(), 3U);
    EXPECT_EQ(call(parts.at(4'000'000'001ULL), WhichPart{}).value(), 1U);
}

TEST(PartitionsOf, servers_are_chosen_by_the_hash_of_another_key_always_the_same) {
    Partitions<Part> const parts("parts", 4);
    std::set<std::size_t> seen;
    for (int i = 0; i < 100; ++i) {
        std::string const key = "sensor-" + std::to_string(i);
        EXPECT_EQ(parts.number_of(key), parts.number_of(key));
        seen.insert(parts.number_of(key));
    }
    EXPECT_EQ(seen.size(), 4U);
}

TEST(PartitionsOf, servers_are_as_many_as_processors_unless_said_otherwise) {
    EXPECT_EQ(Partitions<Part>("parts").size(), std::max(1U, std::thread::hardware_concurrency()));
}

TEST(PartitionsOf, servers_fail_to_start_when_one_of_them_does) {
    Simulation simulation;
    Partitions<Part> const parts("parts", 3);
    auto const started = simulation.node().start(
        parts.tree([](std::size_t n) { return Part::Options{.number = n, .fails = n == 2}; }));
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("child 'parts/2'"));
    simulation.run_until_settled();
    EXPECT_EQ(simulation.node().process_count(), 0U);
}

} // namespace
} // namespace sinew::testing
