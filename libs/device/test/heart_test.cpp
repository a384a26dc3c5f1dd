/// The watchdog is petted for as long as the tree answers, and no longer.
#include <sinew/device/heart.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;

/// Keeps its supervisor from answering: it never finishes its init().
class Stuck : public Server<Stuck> {
public:
    struct Options {
        Duration start_time{};
    };
    explicit Stuck(Options options)
        : m_options(options) {}
    Async<Result<>> init() {
        co_await pause(m_options.start_time);
        co_return Result<>{};
    }

private:
    Options m_options;
};

class HeartInATree : public ::testing::Test {
protected:
    ChildSpec heart(Duration startup_limit = 60s) {
        return child<Heart>({.pet = [pets = m_pets]() -> Result<> {
                                 ++*pets;
                                 return {};
                             },
                             .timeout = 30s,
                             .startup_limit = startup_limit,
                             .pid_1_has_beaten = m_beats});
    }
    std::shared_ptr<int> m_pets = std::make_shared<int>(0);
    std::function<bool()> m_beats;
    testing::Simulation m_simulation{7};
};

TEST_F(HeartInATree, a_pet_comes_at_the_start_and_every_third_of_the_timeout) {
    auto const tree = m_simulation.node().start(supervise(Strategy::one_for_one, {heart()}));
    ASSERT_TRUE(tree);
    EXPECT_EQ(*m_pets, 1);
    m_simulation.advance(10s);
    EXPECT_EQ(*m_pets, 2);
    m_simulation.advance(60s);
    EXPECT_EQ(*m_pets, 8);
}

TEST_F(HeartInATree, a_supervisor_that_does_not_answer_stops_the_petting) {
    auto const tree = m_simulation.node().start(supervise(Strategy::one_for_one, {heart()}));
    ASSERT_TRUE(tree);
    m_simulation.advance(20s);
    auto const before = *m_pets;
    // It waits for this child's start, and serves nobody meanwhile.
    auto const stuck = child<Stuck>({.start_time = 1000s});
    spawn([tree = *tree, stuck] { request(tree, StartChild{stuck}, 2000s).then([](auto const&) {}); });
    m_simulation.advance(100s);
    EXPECT_LE(*m_pets, before + 1);
    EXPECT_TRUE(m_simulation.has_logged("isn't petted"));
}

TEST_F(HeartInATree, a_frozen_pid_1_stops_the_petting) {
    auto const lives = std::make_shared<bool>(true);
    m_beats = [lives] { return *lives; };
    auto const tree = m_simulation.node().start(supervise(Strategy::one_for_one, {heart()}));
    ASSERT_TRUE(tree);
    m_simulation.advance(60s);
    EXPECT_EQ(*m_pets, 7);
    *lives = false;
    m_simulation.advance(10s);
    EXPECT_EQ(*m_pets, 8) << "one beat may be late";
    m_simulation.advance(100s);
    EXPECT_EQ(*m_pets, 8);
    EXPECT_TRUE(m_simulation.has_logged("PID 1 doesn't live"));
}

TEST_F(HeartInATree, whoever_has_asked_for_a_reboot_stops_petting) {
    auto const tree = m_simulation.node().start(supervise(Strategy::one_for_one, {heart()}));
    ASSERT_TRUE(tree);
    m_simulation.advance(10s);
    auto const before = *m_pets;
    send(name<Heart>, Heart::Stop{});
    m_simulation.advance(100s);
    EXPECT_EQ(*m_pets, before);
}

TEST_F(HeartInATree, a_tree_that_is_slow_to_start_is_trusted_for_a_while) {
    auto const tree = m_simulation.node().start(
        supervise(Strategy::one_for_one, {heart(60s), child<Stuck>({.start_time = 45s})}));
    ASSERT_TRUE(tree);
    EXPECT_GE(*m_pets, 4);
}

} // namespace
} // namespace sinew::device
