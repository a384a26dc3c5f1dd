// Agents: a value behind functions.
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Numbers = Agent<std::vector<int>>;

class Agents : public ::testing::Test {
protected:
    std::vector<int> value() {
        return call(agent, Numbers::get([](std::vector<int> const& numbers) { return numbers; })).value();
    }
    Simulation simulation;
    ServerRef<Numbers> agent = simulation.node().start<Numbers>({}, Numbers::Options{{1, 2}}).value();
};

TEST_F(Agents, are_read_by_a_function) {
    EXPECT_EQ(call(agent, Numbers::get([](auto const& numbers) { return numbers.size(); })).value(), 2U);
}

TEST_F(Agents, are_changed_by_a_function) {
    ASSERT_TRUE(call(agent, Numbers::update([](auto& numbers) { numbers.push_back(3); })));
    EXPECT_THAT(value(), ElementsAre(1, 2, 3));
}

TEST_F(Agents, give_something_back_while_they_are_changed) {
    int const taken = call(agent, Numbers::update([](auto& numbers) {
                               int const last = numbers.back();
                               numbers.pop_back();
                               return last;
                           }))
                          .value();
    EXPECT_EQ(taken, 2);
    EXPECT_THAT(value(), ElementsAre(1));
}

TEST_F(Agents, are_changed_in_order_without_an_answer) {
    for (int i = 3; i < 6; ++i) {
        cast(agent, Numbers::change([i](auto& numbers) { numbers.push_back(i); }));
    }
    EXPECT_THAT(value(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(Agents, end_with_a_function_that_throws_and_start_anew_under_a_supervisor) {
    (void)simulation.node()
        .start(supervise(Strategy::one_for_one, {child<Numbers>({{7}}, {.id = "numbers"})}))
        .value();
    auto const numbers = name<Numbers>("numbers");
    ASSERT_TRUE(call(numbers, Numbers::update([](auto& list) { list.clear(); })));
    auto const failed =
        call(numbers, Numbers::get([](auto const&) -> int { throw std::runtime_error("no"); }));
    EXPECT_THAT(failed.error().message(), HasSubstr("std::runtime_error: no"));
    simulation.run_until_settled();
    EXPECT_EQ(call(numbers, Numbers::get([](auto const& list) { return list.at(0); })).value(), 7);
}

} // namespace
} // namespace sinew::testing
