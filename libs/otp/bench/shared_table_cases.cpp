// Tables, registries and pub/sub: what processes share.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Random {
public:
    [[nodiscard]] std::uint32_t next(std::uint32_t limit) noexcept {
        m_state = m_state * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<std::uint32_t>((m_state >> 33) % limit);
    }

private:
    std::uint64_t m_state = 42;
};

void table(Reporter& report, Setting const& setting) {
    constexpr std::uint32_t rows = 10'000;
    constexpr int lookups = 10'000'000;
    Node const node(setting.node_options());
    auto const numbers = Table<std::uint32_t, std::uint64_t>::create();
    auto const inserting = SteadyClock::now();
    for (std::uint32_t key = 0; key < rows; ++key) {
        (void)numbers.insert(key, key);
    }
    report.rate("table", "insert", rows, SteadyClock::now() - inserting);
    Random random;
    std::uint64_t sum = 0;
    auto const start = SteadyClock::now();
    for (int i = 0; i < lookups; ++i) {
        sum += *numbers.lookup(random.next(rows));
    }
    report.rate("table", "lookup", lookups, SteadyClock::now() - start);
    auto const counting = SteadyClock::now();
    for (int i = 0; i < lookups / 10; ++i) {
        (void)numbers.update_counter(random.next(rows), 1);
    }
    report.rate("table", "update_counter", lookups / 10, SteadyClock::now() - counting);
    if (sum == 0) {
        report.add("table", "sum", 0, "");
    }
}
BenchCase const table_case("table", &table);

/// Registers itself under a text.
class Named : public Server<Named> {};

void registry(Reporter& report, Setting const& setting) {
    constexpr std::uint32_t count = 1000;
    constexpr int lookups = 5'000'000;
    Node node(setting.node_options());
    auto const names = Registry<std::string>::create();
    std::vector<std::string> keys;
    auto const registering = SteadyClock::now();
    for (std::uint32_t i = 0; i < count; ++i) {
        keys.push_back("sensor-" + std::to_string(i));
        (void)node.start<Named>({.via = names.via<Named>(keys.back())}).value();
    }
    report.rate("registry", "start_registered", count, SteadyClock::now() - registering);
    Random random;
    std::uint64_t found = 0;
    auto const start = SteadyClock::now();
    for (int i = 0; i < lookups; ++i) {
        found += names.whereis(keys[random.next(count)]) ? 1 : 0;
    }
    report.rate("registry", "lookup", static_cast<double>(found), SteadyClock::now() - start);
}
BenchCase const registry_case("registry", &registry);

struct News {
    std::uint64_t number = 0;
};
class Subscriber : public Server<Subscriber> {
public:
    Subscriber(PubSub bus, std::uint64_t expected, Gate& gate)
        : m_bus(std::move(bus))
        , m_left(expected)
        , m_gate(&gate) {}
    Result<> init() { return m_bus.subscribe<News>(self(), "news"); }
    void handle_info(News /*news*/) {
        if (--m_left == 0) {
            m_gate->arrive();
        }
    }

private:
    PubSub m_bus;
    std::uint64_t m_left;
    Gate* m_gate;
};
class Publisher : public Server<Publisher> {
public:
    Publisher(PubSub bus, std::uint64_t rounds)
        : m_bus(std::move(bus))
        , m_rounds(rounds) {}
    void handle_info(Begin /*message*/) {
        m_bus.broadcast("news", News{m_rounds});
        if (--m_rounds > 0) {
            send(self(), Begin{});
        }
    }

private:
    PubSub m_bus;
    std::uint64_t m_rounds;
};

void pubsub(Reporter& report, Setting const& setting) {
    constexpr int subscribers = 1000;
    constexpr std::uint64_t rounds = 10'000;
    Gate gate(subscribers);
    Node node(setting.node_options());
    auto const bus = PubSub::create();
    for (int i = 0; i < subscribers; ++i) {
        (void)node.start<Subscriber>({}, bus, rounds, std::ref(gate)).value();
    }
    auto const publisher = node.start<Publisher>({}, bus, rounds).value();
    auto const start = SteadyClock::now();
    send(publisher, Begin{});
    gate.wait();
    report.rate("pubsub", "deliveries_1000", static_cast<double>(rounds) * subscribers,
                SteadyClock::now() - start);
}
BenchCase const pubsub_case("pubsub", &pubsub);

} // namespace
} // namespace sinew::bench
