// Requests that are given up or can not begin, and answers that an exception passed by.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Requests : public WorldTest {};
SINEW_IN_BOTH_WORLDS(Requests);

TEST_P(Requests, one_that_was_given_up_is_never_answered) {
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    in(a, [b](Probe& self) {
        RequestId const asked =
            request(b, RunInside{[](Probe&) {}}).then([&self](Result<> const&) { self.say("answered"); });
        EXPECT_TRUE(cancel(asked));
        EXPECT_FALSE(cancel(asked));
    });
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Requests, one_that_was_answered_can_not_be_given_up) {
    ProbeRef const a = start("a");
    ProbeRef const b = start("b");
    RequestId asked;
    in(a, [b, &asked](Probe& self) {
        asked = request(b, RunInside{[](Probe&) {}}).then([&self](Result<> const&) { self.say("answered"); });
    });
    EXPECT_THAT(lines(), ElementsAre("a: answered"));
    in(a, [&asked](Probe&) { EXPECT_FALSE(cancel(asked)); });
}

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

class UnluckyRequests : public WorldTest {};
SINEW_IN_BOTH_WORLDS(UnluckyRequests);

TEST_P(UnluckyRequests, a_request_that_can_not_begin_throws_where_it_is_awaited) {
    auto const unlucky = world.node().start<Unlucky>().value();
    EXPECT_EQ(call(unlucky, Ask{}).value(), "no thread");
    EXPECT_EQ(call(unlucky, Ask{}).value(), "no thread") << "it handles messages as before";
}

TEST_P(UnluckyRequests, a_continued_request_that_can_not_begin_ends_its_process) {
    auto const unlucky = world.node().start<Unlucky>().value();
    send(unlucky, Continue{});
    world.settle();
    EXPECT_FALSE(is_alive(unlucky));
}

TEST_P(UnluckyRequests, a_deferred_that_a_caught_exception_passed_by_is_dropped) {
    auto const unlucky = world.node().start<Unlucky>().value();
    auto const answer = call(unlucky, Swallow{}, Duration::max());
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message(), HasSubstr("dropped the question"));
    EXPECT_TRUE(is_alive(unlucky));
}

TEST(Times, beyond_the_last_one_are_that_one) {
    Simulation simulation;
    EXPECT_TRUE(simulation.travel_until_settled(Duration::max()));
    auto const unlucky = simulation.node().start<Unlucky>().value();
    EXPECT_EQ(call(unlucky, Ask{}, Duration::max() - 1ns).value(), "no thread");
}

} // namespace
} // namespace sinew::testing
