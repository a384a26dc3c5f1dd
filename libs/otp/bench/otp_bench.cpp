// otp_bench [--json] [--workers N] [CASE...]: what the runtime costs. Compare with the anchors and floors
// named in the README; run it on an idle machine, several times, and take medians.
#include "reporter.hpp"

#include <sinew/otp.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace sinew;
using namespace std::chrono_literals;
using bench::Reporter;
using SteadyClock = std::chrono::steady_clock;

/// Counts down to the end of a case; main waits for it.
class Gate {
public:
    explicit Gate(int count = 1)
        : m_left(count) {}
    void arrive() {
        if (m_left.fetch_sub(1) == 1) {
            m_left.notify_all();
        }
    }
    void wait() {
        for (int left = m_left.load(); left > 0; left = m_left.load()) {
            m_left.wait(left);
        }
    }

private:
    std::atomic<int> m_left;
};

class NoLog final : public log::Sink {
public:
    void write(log::Event const& /*event*/) noexcept override {}
};

struct Setting {
    unsigned workers = 0;
    NoLog* log = nullptr;
    [[nodiscard]] NodeOptions node_options() const { return {.workers = workers, .log = log}; }
};

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

void ping_pong(Reporter& report, Setting const& setting) {
    constexpr std::int64_t round_trips = 3'000'000;
    Gate gate;
    Node node(setting.node_options());
    auto const a = node.start<Player>({}, std::ref(gate)).value();
    ServerRef<Player> b;
    // Both on one worker: the second is spawned by a process of the first one's worker in real programs; here
    // by hand.
    b = node.start<Player>({}, std::ref(gate)).value();
    cast(a, Meet{b});
    cast(b, Meet{a});
    auto const start = SteadyClock::now();
    send(a, Ball{round_trips * 2});
    gate.wait();
    report.rate("pingpong", "round_trips", round_trips, SteadyClock::now() - start);
}

void pairs(Reporter& report, Setting const& setting) {
    constexpr int count = 5000;
    constexpr std::int64_t each = 400;
    Gate gate(count);
    Node node(setting.node_options());
    std::vector<ServerRef<Player>> players;
    for (int i = 0; i < 2 * count; ++i) {
        players.push_back(node.start<Player>({}, std::ref(gate)).value());
    }
    for (std::size_t i = 0; i < players.size(); ++i) {
        cast(players[i], Meet{players[i ^ 1U]});
    }
    auto const start = SteadyClock::now();
    for (std::size_t i = 0; i < players.size(); i += 2) {
        send(players[i], Ball{each});
    }
    gate.wait();
    report.rate("pairs5000", "messages", static_cast<double>(count) * each, SteadyClock::now() - start);
}

void ring(Reporter& report, Setting const& setting) {
    constexpr std::size_t size = 1000;
    constexpr std::int64_t hops = 5'000'000;
    Gate gate;
    Node node(setting.node_options());
    std::vector<ServerRef<Player>> players;
    for (std::size_t i = 0; i < size; ++i) {
        players.push_back(node.start<Player>({}, std::ref(gate)).value());
    }
    for (std::size_t i = 0; i < size; ++i) {
        cast(players[i], Meet{players[(i + 1) % size]});
    }
    auto const start = SteadyClock::now();
    send(players.front(), Ball{hops});
    gate.wait();
    report.rate("ring1000", "hops", hops, SteadyClock::now() - start);
}

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

struct Begin {};
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
    constexpr std::int64_t total = 2'000'000;
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
    report.rate("call", metric, total, SteadyClock::now() - start);
}

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
    constexpr std::int64_t total = 4'000'000;
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
    report.rate("fanin", "p" + std::to_string(producers), static_cast<double>(each * producers),
                SteadyClock::now() - start);
}

class Spawner : public Server<Spawner> {
public:
    Spawner(std::int64_t count, std::atomic<std::int64_t>& ended, Gate& gate)
        : m_left(count)
        , m_ended(&ended)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        for (int i = 0; i < 1000 && m_left > 0; ++i, --m_left) {
            spawn([ended = m_ended, gate = m_gate] {
                if (ended->fetch_sub(1, std::memory_order_relaxed) == 1) {
                    gate->arrive();
                }
            });
        }
        if (m_left > 0) {
            send(self(), Begin{});
        }
    }

private:
    std::int64_t m_left;
    std::atomic<std::int64_t>* m_ended;
    Gate* m_gate;
};

void spawn_exit(Reporter& report, Setting const& setting) {
    constexpr std::int64_t count = 1'000'000;
    Gate gate;
    std::atomic<std::int64_t> ended{count};
    Node node(setting.node_options());
    auto const spawner = node.start<Spawner>({}, count, std::ref(ended), std::ref(gate)).value();
    auto const start = SteadyClock::now();
    send(spawner, Begin{});
    gate.wait();
    report.rate("spawn_exit", "batch", count, SteadyClock::now() - start);
}

double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double pages = 0;
    file >> pages >> pages;
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct State {
    std::int64_t values[4] = {}; // NOLINT(*-avoid-c-arrays): a small state
};
class Idle : public Server<Idle> {
    State m_state;
};

class IdleSpawner : public Server<IdleSpawner> {
public:
    IdleSpawner(int count, Gate& gate)
        : m_count(count)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        for (int i = 0; i < 1000 && m_count > 0; ++i, --m_count) {
            spawn<Idle>();
        }
        if (m_count > 0) {
            send(self(), Begin{});
        } else {
            m_gate->arrive();
        }
    }

private:
    int m_count;
    Gate* m_gate;
};

void memory(Reporter& report, Setting const& setting) {
    constexpr int count = 200'000;
    Gate gate;
    Node node(setting.node_options());
    auto const spawner = node.start<IdleSpawner>({}, count, std::ref(gate)).value();
    double const before = resident_bytes();
    auto const start = SteadyClock::now();
    send(spawner, Begin{});
    gate.wait();
    report.rate("mem_idle", "spawn", count, SteadyClock::now() - start);
    while (node.process_count() < count + 1) {
    }
    (void)stop_and_wait(spawner);
    report.add("mem_idle", "server_rss", (resident_bytes() - before) / count, "B");
    report.add("mem_idle", "server_record", sizeof(Idle) + 192, "B");
}

struct Ping {
    using Reply = int;
};
struct Crash {};
class Victim : public Server<Victim> {
public:
    int handle_call(Ping /*request*/) { return 1; }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("crash"); }
};
class Breaker : public Server<Breaker> {
public:
    Breaker(int count, std::vector<double>& latencies_us, Gate& gate)
        : m_left(count)
        , m_latencies_us(&latencies_us)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) { crash(); }

private:
    void crash() {
        if (m_left-- == 0) {
            m_gate->arrive();
            return;
        }
        m_start = SteadyClock::now();
        cast(name<Victim>, Crash{});
        ask();
    }
    void ask() {
        request(name<Victim>, Ping{}).then([this](Result<int> const& answer) {
            if (!answer) {
                ask();
                return;
            }
            m_latencies_us->push_back(
                std::chrono::duration<double, std::micro>(SteadyClock::now() - m_start).count());
            crash();
        });
    }
    int m_left;
    std::vector<double>* m_latencies_us;
    Gate* m_gate;
    SteadyClock::time_point m_start;
};

void restarts(Reporter& report, Setting const& setting) {
    constexpr int count = 50'000;
    Gate gate;
    std::vector<double> latencies_us;
    latencies_us.reserve(count);
    Node node(setting.node_options());
    auto const tree =
        node.start(supervise(SupervisorOptions{.intensity = 10'000'000}, {child<Victim>()})).value();
    auto const breaker = node.start<Breaker>({}, count, std::ref(latencies_us), std::ref(gate)).value();
    auto const start = SteadyClock::now();
    send(breaker, Begin{});
    gate.wait();
    report.rate("restart", "restarts", count, SteadyClock::now() - start);
    std::ranges::sort(latencies_us);
    report.add("restart", "crash_to_answer.p50", latencies_us[latencies_us.size() / 2], "us");
    report.add("restart", "crash_to_answer.p99", latencies_us[latencies_us.size() * 99 / 100], "us");
    (void)stop_and_wait(tree, ExitReason::shutdown());
}

class TimerSetter : public Server<TimerSetter> {
public:
    TimerSetter(Reporter& report, Gate& gate)
        : m_report(&report)
        , m_gate(&gate) {}
    void handle_info(Begin /*message*/) {
        constexpr std::size_t count = 1'000'000;
        std::vector<Timer> timers;
        timers.reserve(count);
        std::uint64_t random = 42;
        double const before = resident_bytes();
        auto const start = SteadyClock::now();
        for (std::size_t i = 0; i < count; ++i) {
            random = random * 6364136223846793005ULL + 1;
            timers.push_back(send_after(std::chrono::milliseconds(20'000 + (random >> 33) % 3000), Ball{0}));
        }
        auto const set = SteadyClock::now();
        m_report->rate("timers", "set", count, set - start);
        m_report->add("timers", "bytes",
                      (resident_bytes() - before) / static_cast<double>(count) - sizeof(Timer), "B");
        auto const cancelling = SteadyClock::now();
        for (Timer const timer : timers) {
            (void)cancel(timer);
        }
        m_report->rate("timers", "cancel", count, SteadyClock::now() - cancelling);
        m_gate->arrive();
    }
    void handle_info(Ball /*ball*/) {}

private:
    Reporter* m_report;
    Gate* m_gate;
};

void timers(Reporter& report, Setting const& setting) {
    Gate gate;
    Node node(setting.node_options());
    auto const setter = node.start<TimerSetter>({}, std::ref(report), std::ref(gate)).value();
    send(setter, Begin{});
    gate.wait();
}

void start_and_halt(Reporter& report, Setting const& setting) {
    constexpr int count = 20;
    auto const start = SteadyClock::now();
    for (int i = 0; i < count; ++i) {
        Node const node(setting.node_options());
    }
    auto const each = std::chrono::duration<double, std::milli>(SteadyClock::now() - start) / count;
    report.add("node", "start_halt", each.count(), "ms");
}

using Case = std::function<void(Reporter&, Setting const&)>;
std::vector<std::pair<std::string, Case>> all_cases() {
    return {{"pingpong", &ping_pong},
            {"call",
             [](Reporter& report, Setting const& setting) {
                 calls<Client>(report, setting, 1, "c1");
                 calls<Client>(report, setting, 100, "c100");
                 calls<AwaitingClient>(report, setting, 1, "await_c1");
                 calls<AwaitingClient>(report, setting, 100, "await_c100");
             }},
            {"ring", &ring},
            {"fanin",
             [](Reporter& report, Setting const& setting) {
                 fan_in(report, setting, 2);
                 fan_in(report, setting, 100);
             }},
            {"pairs", &pairs},
            {"spawn_exit", &spawn_exit},
            {"memory", &memory},
            {"restart", &restarts},
            {"timers", &timers},
            {"node", &start_and_halt}};
}

} // namespace

int main(int argc, char** argv) {
    bool is_json = false;
    NoLog quiet;
    Setting setting{.log = &quiet};
    std::vector<std::string> wanted;
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument = argv[i];
        if (argument == "--json") {
            is_json = true;
        } else if (argument == "--workers" && i + 1 < argc) {
            setting.workers = static_cast<unsigned>(std::stoul(argv[++i]));
        } else if (argument == "--help") {
            (void)std::printf("otp_bench [--json] [--workers N] [CASE...]\n\ncases:");
            for (auto const& [name, run] : all_cases()) {
                (void)std::printf(" %s", name.c_str());
            }
            (void)std::printf("\n");
            return 0;
        } else {
            wanted.emplace_back(argument);
        }
    }
    Reporter report(is_json);
    for (auto const& [name, run] : all_cases()) {
        if (wanted.empty() || std::ranges::find(wanted, name) != wanted.end()) {
            run(report, setting);
        }
    }
    return 0;
}
