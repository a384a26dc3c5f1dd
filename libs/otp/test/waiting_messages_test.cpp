// An answer comes past whatever waits in the mailbox, and costs the same however much that is. Counted in
// handlers that run, not in time.
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace sinew::testing {
namespace {

struct Double {
    using Reply = int;
    int value = 0;
};
class Doubler : public Server<Doubler> {
public:
    int handle_call(Double call) { return 2 * call.value; }
};

struct Ask {};
struct Junk {};
class Asker : public Server<Asker> {
public:
    struct Seen {
        std::optional<int> answer;
        std::size_t junk = 0;
        std::size_t junk_before_the_answer = 0;
        /// When the answer is there.
        std::optional<ProcessInfo> info;
    };
    Asker(ServerRef<Doubler> doubler, Seen& seen)
        : m_doubler(doubler)
        , m_seen(&seen) {}
    Async<> handle_info(Ask /*message*/) {
        Result<int> const answer = co_await request(m_doubler, Double{21});
        m_seen->answer = answer.value_or(0);
        m_seen->junk_before_the_answer = m_seen->junk;
        m_seen->info = process_info(sinew::self());
    }
    void handle_info(Junk /*message*/) { ++m_seen->junk; }

private:
    ServerRef<Doubler> m_doubler;
    Seen* m_seen;
};

struct Cost {
    std::size_t steps = 0;
    std::uint64_t handled = 0;
    std::size_t waiting = 0;
};

Cost cost_of_a_request_before(std::size_t waiting) {
    Simulation simulation;
    Asker::Seen seen;
    auto const doubler = simulation.node().start<Doubler>().value();
    auto const asker = simulation.node().start<Asker>({}, doubler, std::ref(seen)).value();
    simulation.run_until_settled();
    send(asker, Ask{});
    for (std::size_t count = 0; count < waiting; ++count) {
        send(asker, Junk{});
    }
    Cost cost;
    while (!seen.answer && simulation.step()) {
        ++cost.steps;
    }
    EXPECT_EQ(seen.answer, 42);
    EXPECT_EQ(seen.junk_before_the_answer, 0U);
    cost.handled = seen.info->messages_handled;
    cost.waiting = seen.info->mailbox_length;
    simulation.run_until_settled();
    EXPECT_EQ(seen.junk, waiting);
    return cost;
}

TEST(AnAnswer, costs_the_same_behind_a_hundred_thousand_waiting_messages) {
    Cost const alone = cost_of_a_request_before(0);
    Cost const crowded = cost_of_a_request_before(100'000);
    EXPECT_EQ(crowded.waiting, 100'000U);
    EXPECT_EQ(crowded.steps, alone.steps);
    EXPECT_EQ(crowded.handled, alone.handled);
}

} // namespace
} // namespace sinew::testing
