/// Simulation: a node without threads, under virtual time and a seeded scheduler, for tests.
///
///     sinew::testing::Simulation sim(42);
///     auto led = sim.node().start<Led>({}, Led::Options{...});
///     sim.advance(5s);                                  // takes microseconds
///     EXPECT_EQ(sinew::call(*led, Count{}), 10);
///
/// The same seed gives the same interleaving. call() and the like run the simulation until the answer is
/// there (their time limit is virtual). blocking() runs at once; watched descriptors are looked at without
/// waiting. Threading: one thread makes and uses it.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::testing {

class Simulation {
public:
    explicit Simulation(std::uint64_t seed = 1);
    ~Simulation();
    Simulation(Simulation const&) = delete;
    Simulation& operator=(Simulation const&) = delete;
    Simulation(Simulation&&) = delete;
    Simulation& operator=(Simulation&&) = delete;

    [[nodiscard]] Node& node() noexcept;
    /// Runs everything that happens within `time`, then stands `time` later.
    void advance(Duration time);
    /// Runs until nobody has anything to do at this moment; time stands still. Throws std::runtime_error
    /// after `step_limit` steps (processes that keep each other busy for ever).
    void run_until_settled(std::size_t step_limit = 10'000'000);
    /// Runs one handler. False: nobody has anything to do.
    bool step();
    [[nodiscard]] MonotonicTime now() const noexcept;
    /// The log lines so far, formatted without their time.
    [[nodiscard]] std::vector<std::string> const& log_lines() const noexcept;
    [[nodiscard]] bool has_logged(std::string_view text) const noexcept;

private:
    class LogRecorder;
    std::unique_ptr<LogRecorder> m_log;
    std::unique_ptr<Node> m_node;
};

} // namespace sinew::testing
