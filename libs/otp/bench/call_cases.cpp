// Calls: one client, a hundred, and a hundred clients of which most ask the same one of a thousand servers.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sinew::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Add {
    using Reply = std::int64_t;
    std::int64_t value = 0;
};
class Adder : public Server<Adder> {
public:
    std::int64_t handle_call(Add add) { return m_sum += add.value; }

private:
    std::int64_t m_sum = 0;
};

/// Asks again in the continuation of each answer.
class Client : public Server<Client> {
public:
    Client(ServerRef<Adder> server, std::int64_t calls, Gate& gate)
        : m_server(server)
        , m_left(calls)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) { ask(); }

private:
    void ask() {
        if (m_left-- == 0) {
            m_gate->arrive();
            return;
        }
        request(m_server, Add{1}).then([this](Result<std::int64_t> const&) { ask(); });
    }
    ServerRef<Adder> m_server;
    std::int64_t m_left;
    Gate* m_gate;
};
/// Awaits each answer.
class AwaitingClient : public Server<AwaitingClient> {
public:
    AwaitingClient(ServerRef<Adder> server, std::int64_t calls, Gate& gate)
        : m_server(server)
        , m_left(calls)
        , m_gate(&gate) {}
    Async<> handle_info(Begin /*message*/) {
        for (; m_left > 0; --m_left) {
            auto const sum = co_await request(m_server, Add{1});
            (void)sum;
        }
        m_gate->arrive();
    }

private:
    ServerRef<Adder> m_server;
    std::int64_t m_left;
    Gate* m_gate;
};

template<typename C>
void calls(Reporter& report, Setting const& setting, int clients, std::string const& metric) {
    constexpr std::int64_t total = 3'000'000;
    Gate gate(clients);
    Node node(setting.node_options());
    auto const server = node.start<Adder>().value();
    std::vector<ServerRef<C>> all;
    for (int i = 0; i < clients; ++i) {
        all.push_back(node.start<C>({}, server, total / clients, std::ref(gate)).value());
    }
    auto const start = SteadyClock::now();
    for (auto const& client : all) {
        send(client, Begin{});
    }
    gate.wait();
    report.rate("call" + std::to_string(clients), metric, total, SteadyClock::now() - start);
}
BenchCase const call_1("call1", [](Reporter& report, Setting const& setting) {
    calls<Client>(report, setting, 1, "continued");
    calls<AwaitingClient>(report, setting, 1, "awaited");
});
BenchCase const call_100("call100", [](Reporter& report, Setting const& setting) {
    calls<Client>(report, setting, 100, "continued");
    calls<AwaitingClient>(report, setting, 100, "awaited");
});

struct Spin {
    using Reply = std::int64_t;
    std::int64_t rounds = 0;
};
/// Multiplies for a while before it answers, as the peers' servers do.
class Spinner : public Server<Spinner> {
public:
    std::int64_t handle_call(Spin spin) {
        std::int64_t value = 1;
        for (; spin.rounds > 0; --spin.rounds) {
            value = (value * 1'103'515'245 + 12'345) & 0x7fffffff;
        }
        return value;
    }
};

constexpr std::int64_t hot_rounds = 100;
/// Nine in ten of its questions go to the first server.
class SkewedClient : public Server<SkewedClient> {
public:
    SkewedClient(std::vector<ServerRef<Spinner>> const& servers, std::int64_t calls, int number, Gate& gate)
        : m_servers(&servers)
        , m_left(calls)
        , m_number(number)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) { ask(); }

private:
    void ask() {
        if (m_left == 0) {
            m_gate->arrive();
            return;
        }
        std::int64_t const n = m_left--;
        bool const is_hot = (n * 7919 + m_number * 104'729) % 10 != 0;
        std::size_t const cold = 1 + static_cast<std::size_t>(n * 31 + m_number) % (m_servers->size() - 1);
        request((*m_servers)[is_hot ? 0 : cold], Spin{hot_rounds}).then([this](Result<std::int64_t> const&) {
            ask();
        });
    }
    std::vector<ServerRef<Spinner>> const* m_servers;
    std::int64_t m_left;
    int m_number;
    Gate* m_gate;
};

void hot_process(Reporter& report, Setting const& setting) {
    constexpr int clients = 100;
    constexpr std::int64_t each = 20'000;
    Gate gate(clients);
    Node node(setting.node_options());
    std::vector<ServerRef<Spinner>> servers;
    for (int i = 0; i < 1000; ++i) {
        servers.push_back(node.start<Spinner>().value());
    }
    std::vector<ServerRef<SkewedClient>> all;
    for (int i = 0; i < clients; ++i) {
        all.push_back(node.start<SkewedClient>({}, std::cref(servers), each, i, std::ref(gate)).value());
    }
    auto const start = SteadyClock::now();
    for (auto const& client : all) {
        send(client, Begin{});
    }
    gate.wait();
    report.rate("hot", "calls", static_cast<double>(clients) * each, SteadyClock::now() - start);
}
BenchCase const hot_case("hot", &hot_process);

} // namespace
} // namespace sinew::bench
