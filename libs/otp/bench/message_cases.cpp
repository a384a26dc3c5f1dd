// Messages between processes: ping-pong, a ring, many pairs, fan-in, large payloads.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Ball {
    std::int64_t left = 0;
};
struct Meet {
    Pid peer;
};

/// Sends each ball on to its peer; the one with nothing left opens the gate.
class Player : public Server<Player> {
public:
    explicit Player(Gate& gate)
        : m_gate(&gate) {}
    void handle_cast(Meet meet) { m_peer = ServerRef<Player>(meet.peer); }
    void handle_info(Ball ball) {
        if (ball.left == 0) {
            m_gate->arrive();
            return;
        }
        send(m_peer, Ball{ball.left - 1});
    }

private:
    Gate* m_gate;
    ServerRef<Player> m_peer;
};

std::vector<ServerRef<Player>> make_players(Node& node, std::size_t count, Gate& gate) {
    std::vector<ServerRef<Player>> players;
    for (std::size_t i = 0; i < count; ++i) {
        players.push_back(node.start<Player>({}, std::ref(gate)).value());
    }
    return players;
}

void ping_pong(Reporter& report, Setting const& setting) {
    constexpr std::int64_t round_trips = 3'000'000;
    Gate gate;
    Node node(setting.node_options());
    auto const players = make_players(node, 2, gate);
    cast(players[0], Meet{players[1]});
    cast(players[1], Meet{players[0]});
    auto const start = SteadyClock::now();
    send(players[0], Ball{round_trips * 2});
    gate.wait();
    report.rate("pingpong", "round_trips", round_trips, SteadyClock::now() - start);
}
BenchCase const ping_pong_case("pingpong", &ping_pong);

void ring(Reporter& report, Setting const& setting) {
    constexpr std::size_t size = 1000;
    constexpr std::int64_t hops = 10'000'000;
    Gate gate;
    Node node(setting.node_options());
    auto const players = make_players(node, size, gate);
    for (std::size_t i = 0; i < size; ++i) {
        cast(players[i], Meet{players[(i + 1) % size]});
    }
    auto const start = SteadyClock::now();
    send(players.front(), Ball{hops});
    gate.wait();
    report.rate("ring", "hops", hops, SteadyClock::now() - start);
}
BenchCase const ring_case("ring", &ring);

void pairs(Reporter& report, Setting const& setting) {
    constexpr int count = 5000;
    constexpr std::int64_t each = 1000;
    Gate gate(count);
    Node node(setting.node_options());
    auto const players = make_players(node, 2 * static_cast<std::size_t>(count), gate);
    for (std::size_t i = 0; i < players.size(); ++i) {
        cast(players[i], Meet{players[i ^ 1U]});
    }
    auto const start = SteadyClock::now();
    for (std::size_t i = 0; i < players.size(); i += 2) {
        send(players[i], Ball{each});
    }
    gate.wait();
    report.rate("pairs", "messages", static_cast<double>(count) * each, SteadyClock::now() - start);
}
BenchCase const pairs_case("pairs", &pairs);

class Sink : public Server<Sink> {
public:
    Sink(std::int64_t expected, Gate& gate)
        : m_left(expected)
        , m_gate(&gate) {}
    void handle_info(Ball /*ball*/) {
        if (--m_left == 0) {
            m_gate->arrive();
        }
    }

private:
    std::int64_t m_left;
    Gate* m_gate;
};
class Flood : public Server<Flood> {
public:
    Flood(ServerRef<Sink> sink, std::int64_t count)
        : m_sink(sink)
        , m_left(count) {}
    void handle_info(Begin /*message*/) {
        for (int i = 0; i < 384 && m_left > 0; ++i, --m_left) {
            send(m_sink, Ball{m_left});
        }
        if (m_left > 0) {
            send(self(), Begin{});
        }
    }

private:
    ServerRef<Sink> m_sink;
    std::int64_t m_left;
};

void fan_in(Reporter& report, Setting const& setting, int producers) {
    constexpr std::int64_t total = 8'000'000;
    Gate gate;
    Node node(setting.node_options());
    std::int64_t const each = total / producers;
    auto const sink = node.start<Sink>({}, each * producers, std::ref(gate)).value();
    std::vector<ServerRef<Flood>> floods;
    for (int i = 0; i < producers; ++i) {
        floods.push_back(node.start<Flood>({}, sink, each).value());
    }
    auto const start = SteadyClock::now();
    for (auto const& flood : floods) {
        send(flood, Begin{});
    }
    gate.wait();
    report.rate("fanin" + std::to_string(producers), "messages", static_cast<double>(each * producers),
                SteadyClock::now() - start);
}
BenchCase const fan_in_2("fanin2",
                         [](Reporter& report, Setting const& setting) { fan_in(report, setting, 2); });
BenchCase const fan_in_100("fanin100",
                           [](Reporter& report, Setting const& setting) { fan_in(report, setting, 100); });

struct Parcel {
    std::vector<std::byte> bytes;
    std::int64_t left = 0;
};
/// Passes a buffer on, moved.
class Courier : public Server<Courier> {
public:
    explicit Courier(Gate& gate)
        : m_gate(&gate) {}
    void handle_cast(Meet meet) { m_peer = ServerRef<Courier>(meet.peer); }
    void handle_info(Parcel parcel) {
        if (parcel.left-- == 0) {
            m_gate->arrive();
            return;
        }
        send(m_peer, std::move(parcel));
    }

private:
    Gate* m_gate;
    ServerRef<Courier> m_peer;
};

void parcels(Reporter& report, Setting const& setting) {
    constexpr std::int64_t round_trips = 2'000'000;
    Gate gate;
    Node node(setting.node_options());
    auto const a = node.start<Courier>({}, std::ref(gate)).value();
    auto const b = node.start<Courier>({}, std::ref(gate)).value();
    cast(a, Meet{b});
    cast(b, Meet{a});
    auto const start = SteadyClock::now();
    send(a, Parcel{std::vector<std::byte>(65'536), round_trips * 2});
    gate.wait();
    report.rate("parcel", "round_trips", round_trips, SteadyClock::now() - start);
}
BenchCase const parcel_case("parcel", &parcels);

} // namespace
} // namespace sinew::bench
