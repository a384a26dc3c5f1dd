/// Simulation: a node without threads, under virtual time and a seeded scheduler, for tests.
///
///     sinew::testing::Simulation sim(42);
///     auto led = sim.node().start<Led>({}, Led::Options{...});
///     sim.advance(5s);                                  // takes microseconds
///     EXPECT_EQ(sinew::call(*led, Count{}), 10);
///
/// The same seed gives the same interleaving. call() and the like run the simulation until the answer is
/// there (their time limit is virtual). blocking() runs at once; watched descriptors are looked at without
/// waiting. An application runs here as it does on a device: `sim.start(application)`.
///
///     for_each_seed(200, [](Simulation& sim) { ... });       // 200 interleavings
///     explore([](Simulation& sim) { ... });                  // all of them, of a small system
///     sim.faults().crash<Sensor>({.at = 3});                 // and what if... (faults.hpp)
///
/// When a test fails, <sinew/otp/gtest.hpp> says which interleaving it was, and how to run that one again.
/// Threading: one thread makes and uses it.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/detail/std_function.hpp>
#include <sinew/otp/application.hpp>
#include <sinew/otp/applications.hpp>
#include <sinew/otp/config.hpp>
#include <sinew/otp/faults.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::testing {

/// The decisions of a scheduler: which of the runnable processes goes on, each time there are several.
using Schedule = std::vector<std::uint32_t>;

/// See the top of the file.
class Simulation {
public:
    /// With the seed of the environment variable SINEW_SIMULATION_SEED, else 1.
    Simulation();
    /// With a seed of its own.
    explicit Simulation(std::uint64_t seed);
    /// Takes the decisions of `schedule`, then always the first.
    explicit Simulation(Schedule schedule);
    ~Simulation();
    Simulation(Simulation const&) = delete;
    Simulation& operator=(Simulation const&) = delete;
    Simulation(Simulation&&) = delete;
    Simulation& operator=(Simulation&&) = delete;

    /// Where processes are started.
    [[nodiscard]] Node& node() noexcept;
    /// Starts an application with this configuration as run_application() does: what it needs first, then its
    /// tree (returned), then its start phases. `application` outlives stop_applications(), if that is called.
    /// Errors as Applications::ensure_all_started(). When its tree ends by itself, a program would exit; here
    /// the log says so, and the test goes on.
    [[nodiscard]] Result<SupervisorRef> start(Application& application, Config const& config = {});
    /// Stops all that start() started, the last first, as SIGTERM does: prepare_stop(), the tree, stop(),
    /// then what it needed. Without it a Simulation ends like a device whose power goes. Errors as
    /// Applications::stop_all().
    Result<> stop_applications();
    /// What goes wrong; nothing does until it is told to.
    [[nodiscard]] Faults& faults();

    /// Runs everything that happens within `time`, then stands `time` later.
    void advance(Duration time);
    /// Runs until nobody has anything to do at this moment; time stands still. Throws std::runtime_error
    /// after `step_limit` steps (processes that keep each other busy for ever).
    void run_until_settled(std::size_t step_limit = 10'000'000);
    /// Runs on, through all timers, until nothing will ever happen by itself; at most for `limit`. Returns
    /// whether it came that far: an application that blinks for ever does not. Time stands at the last thing
    /// that happened.
    bool travel_until_settled(Duration limit = std::chrono::hours(1));
    /// Runs one handler. False: nobody has anything to do.
    bool step();
    /// The virtual time.
    [[nodiscard]] MonotonicTime now() const noexcept;

    /// The log lines so far, formatted without their time.
    [[nodiscard]] std::vector<std::string> const& log_lines() const noexcept;
    /// Whether one of them holds `text`.
    [[nodiscard]] bool has_logged(std::string_view text) const noexcept;

    /// The decisions taken so far, and among how many each was.
    struct Decision {
        /// Which one was taken, from 0.
        std::uint32_t taken = 0;
        /// How many there were.
        std::uint32_t among = 0;
    };
    /// See Decision.
    [[nodiscard]] std::vector<Decision> const& decisions() const noexcept;
    /// How to run this interleaving again: "SINEW_SIMULATION_SEED=42" or "SINEW_SIMULATION_SCHEDULE=0.2.1".
    [[nodiscard]] std::string replay() const;
    /// The replay() of the newest simulation of this thread; empty: there was none.
    [[nodiscard]] static std::string last_replay();

private:
    class LogRecorder;
    class Scheduler;
    Simulation(std::uint64_t seed, std::unique_ptr<Scheduler> scheduler);
    std::unique_ptr<LogRecorder> m_log;
    std::unique_ptr<Scheduler> m_scheduler;
    /// Outlive the node: its processes may use what the applications own.
    std::vector<std::unique_ptr<Applications>> m_applications;
    std::unique_ptr<Node> m_node;
    std::shared_ptr<Faults> m_faults;
};

/// Runs `body` once for each of `count` seeds; with SINEW_SIMULATION_SEED in the environment, for that one
/// only. What it throws stops it.
void for_each_seed(std::size_t count, std::function<void(Simulation&)> const& body);

/// Bounds of explore().
struct ExploreOptions {
    /// It ends after so many, incomplete.
    std::size_t most_schedules = 100'000;
};
/// What explore() did.
struct Exploration {
    /// Interleavings that were run.
    std::size_t schedules = 0;
    /// Whether these were all there are.
    bool is_complete = false;
};
/// Runs `body` once for every interleaving of the handlers of its processes: each time several processes
/// could go on, each of them is tried. For small systems: the number grows with the factorial of what runs
/// side by side. `body` builds the same system each time, and asserts. What it throws stops the exploration.
/// With SINEW_SIMULATION_SCHEDULE in the environment, that one only.
Exploration explore(std::function<void(Simulation&)> const& body, ExploreOptions options = {});

} // namespace sinew::testing
