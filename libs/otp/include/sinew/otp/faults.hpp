/// Faults: what goes wrong in a simulation, on purpose.
///
///     sim.faults().crash<Sensor>({.at = 3});                       // at the third message a Sensor handles
///     sim.faults().drop<Sensor, Reading>({.at = 2, .count = 5});   // five Readings never reach a Sensor
///     sim.faults().delay<Pump>(50ms, {.at = 1});                   // it stands still for 50 ms
///     sim.faults().fail_allocation<Sensor>(1, {.at = 4});          // its first `new` in that handler throws
///     sim.faults().be_random({.crash = 0.001, .delay = 0.01});     // chaos, from the simulation's seed
///
/// Messages are counted from when the fault is set, over all processes of that class. A dropped message is
/// never answered: a call runs into its time limit. A delay keeps the order of messages: everything after it
/// waits, too. Threading: the simulation's thread.
#pragma once

#include <sinew/base/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <typeinfo>

namespace sinew::detail {
class NodeCore;
}

namespace sinew::testing {

/// When a fault happens: at the `at`-th message, and at the `count` - 1 after it.
struct FaultTime {
    /// From 1.
    std::size_t at = 1;
    /// How often in a row.
    std::size_t count = 1;
};

/// How often things go wrong by chance, at each message of a process that is no supervisor: from 0 (never)
/// to 1 (always).
struct RandomFaults {
    /// Its handler throws.
    double crash = 0;
    /// It never gets it.
    double drop = 0;
    /// It stands still.
    double delay = 0;
    /// For so long at most.
    Duration longest_delay = std::chrono::milliseconds(100);
};

/// See the top of the file.
class Faults {
public:
    /// For Simulation.
    explicit Faults(std::uint64_t seed);
    ~Faults();
    Faults(Faults const&) = delete;
    Faults& operator=(Faults const&) = delete;
    Faults(Faults&&) = delete;
    Faults& operator=(Faults&&) = delete;

    /// An S's handler throws instead of handling its message.
    template<typename S>
    void crash(FaultTime time) {
        add({.process = &typeid(S), .message = nullptr, .action = Action::crash, .time = time});
    }
    /// The same for messages M only.
    template<typename S, typename M>
    void crash(FaultTime time) {
        add({.process = &typeid(S), .message = &typeid(M), .action = Action::crash, .time = time});
    }
    /// An S never gets a message M.
    template<typename S, typename M>
    void drop(FaultTime time) {
        add({.process = &typeid(S), .message = &typeid(M), .action = Action::drop, .time = time});
    }
    /// An S stands still for `how_long` before it handles its message.
    template<typename S>
    void delay(Duration how_long, FaultTime time) {
        add({.process = &typeid(S),
             .message = nullptr,
             .action = Action::delay,
             .time = time,
             .how_long = how_long});
    }
    /// In the handler of that message, the `allocation`-th operator new throws std::bad_alloc. The test
    /// program links sinew::otp_testing, else this throws std::logic_error.
    template<typename S>
    void fail_allocation(std::size_t allocation, FaultTime time) {
        require_allocation_faults();
        add({.process = &typeid(S),
             .message = nullptr,
             .action = Action::fail_allocation,
             .time = time,
             .allocation = allocation});
    }
    /// Besides: things that go wrong by chance, from now on.
    void be_random(RandomFaults faults);
    /// Nothing goes wrong any longer.
    void clear();
    /// How many faults have happened.
    [[nodiscard]] std::size_t happened() const noexcept;

private:
    friend class Simulation;
    enum class Action : std::uint8_t { crash, drop, delay, fail_allocation };
    struct Rule {
        std::type_info const* process = nullptr;
        /// Null: any.
        std::type_info const* message = nullptr;
        Action action = Action::crash;
        FaultTime time;
        Duration how_long{0};
        std::size_t allocation = 0;
        std::size_t seen = 0;
    };
    class Hook;
    void install(sinew::detail::NodeCore& core);
    void add(Rule rule);
    static void require_allocation_faults();
    std::shared_ptr<Hook> m_hook;
};

} // namespace sinew::testing
