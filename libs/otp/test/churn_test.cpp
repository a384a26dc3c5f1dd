// Three days in the life of a device, in virtual time: processes come, work, crash, are restarted and go; at
// the end there is as much of everything as after the first hour.
#include <sinew/otp.hpp>
#include <sinew/otp/allocations.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;

struct Measure {};
struct Reading {
    std::string text;
};
struct Latest {
    using Reply = std::string;
};

/// Measures every minute, and now and then fails.
class Sensor : public Server<Sensor> {
public:
    void init() { send_after(1min, Measure{}); }
    void handle_info(Measure /*message*/);

private:
    std::uint32_t m_measured = 0;
};

/// Takes readings; asks a worker of its own about each.
class Collector : public Server<Collector> {
public:
    void handle_cast(Reading reading) {
        m_latest = std::move(reading.text);
        auto const [worker, ref] = spawn_monitor([] {
            auto const buffer = std::make_unique<std::string>(2000, 'x');
            if (buffer->size() != 2000) {
                exit_self(ExitReason::error("never"));
            }
        });
        (void)worker;
        m_ref = ref;
        m_timeout = send_after(30s, Measure{});
    }
    void handle_info(Down down) {
        if (down.monitor == m_ref) {
            (void)cancel(m_timeout);
        }
    }
    void handle_info(Measure /*message*/) { throw std::runtime_error("the worker never ended"); }
    std::string handle_call(Latest /*question*/) { return m_latest; }

private:
    std::string m_latest;
    MonitorRef m_ref;
    Timer m_timeout;
};

void Sensor::handle_info(Measure /*message*/) {
    ++m_measured;
    cast(name<Collector>, Reading{std::string(100, 'r')});
    request(name<Collector>, Latest{}, 1s).then([](Result<std::string> const& /*latest*/) {});
    if (m_measured % 7 == 0) {
        throw std::runtime_error("the bus is stuck");
    }
    send_after(1min, Measure{});
}

struct Holdings {
    std::int64_t allocations = 0;
    std::size_t processes = 0;
};

TEST(SeventyTwoHours, of_churn_leave_nothing_behind) {
    Simulation simulation(11);
    auto const tree = simulation.node().start(
        supervise({.strategy = Strategy::one_for_one, .intensity = 10, .period = 1min},
                  {child<Collector>(), child<Sensor>()}));
    ASSERT_TRUE(tree);
    simulation.faults().be_random({.crash = 0.002, .delay = 0.01});
    auto const holdings = [&simulation] {
        simulation.run_until_settled();
        // The recorded log grows by a text a line; nothing else may.
        return Holdings{live_allocations() - static_cast<std::int64_t>(simulation.log_lines().size()),
                        simulation.node().process_count()};
    };
    simulation.advance(1h);
    std::optional<Holdings> least;
    Holdings most;
    for (int hour = 1; hour < 72; ++hour) {
        simulation.advance(1h);
        Holdings const now = holdings();
        most = {std::max(most.allocations, now.allocations), std::max(most.processes, now.processes)};
        if (hour == 12) {
            least = most; // What half a day needs at most.
        }
    }
    EXPECT_LE(most.processes, least->processes);
    EXPECT_LE(most.allocations, least->allocations + 64)
        << "it grows: " << least->allocations << " to " << most.allocations;
    EXPECT_GT(simulation.faults().happened(), 100U);
    ASSERT_TRUE(is_alive(tree->pid()));
}

} // namespace
} // namespace sinew::testing
