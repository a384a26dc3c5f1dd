// caf_peer THREADS CASE: what CAF 0.17 (Debian's libcaf-dev) needs for the cases of libs/otp/bench.
// Prints lines `CASE METRIC VALUE UNIT`.
#include <caf/all.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Integer = std::int64_t;
using Clock = std::chrono::steady_clock;
using Buffer = std::vector<char>;

void report(std::string const& name, std::string const& metric, double value, char const* unit) {
    std::printf("%s %s %.3f %s\n", name.c_str(), metric.c_str(), value, unit);
}
void report_rate(std::string const& name, char const* metric, Integer count, Clock::duration time) {
    report(name, metric, static_cast<double>(count) / std::chrono::duration<double>(time).count(), "ops/s");
}
void report_percentiles(std::string const& name, std::string const& metric, std::vector<double> values,
                        char const* unit) {
    std::sort(values.begin(), values.end());
    report(name, metric + ".p50", values[values.size() / 2], unit);
    report(name, metric + ".p99", values[values.size() * 99 / 100], unit);
}
double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double pages = 0;
    file >> pages >> pages;
    return pages * 4096;
}
/// Ends the program without waiting for its actors.
[[noreturn]] void leave() {
    std::fflush(stdout);
    std::_Exit(0);
}

struct State {
    Integer left = 0;
    caf::actor peer;
    Clock::time_point start;
    std::vector<double> times;
};
using Actor = caf::stateful_actor<State>*;

/// Fulfils `done` after `count` messages.
caf::behavior collect(Actor self, Integer count, std::promise<void>* done) {
    self->state.left = count;
    return {[=](Integer) {
        if (--self->state.left == 0) {
            done->set_value();
            self->quit();
        }
    }};
}
caf::behavior answer(caf::event_based_actor* /*self*/) {
    return {[](Integer value) { return value; }};
}
caf::behavior echo(caf::event_based_actor* self) {
    return {[=](Integer value) { self->send(caf::actor_cast<caf::actor>(self->current_sender()), value); }};
}
caf::behavior ping(Actor self, caf::actor peer, Integer count, caf::actor collector) {
    return {[=](Integer value) {
        if (value == 1) {
            self->send(collector, Integer{1});
            self->quit();
            return;
        }
        self->send(peer, value < 0 ? count : value - 1);
    }};
}
void ask(Actor self, caf::actor const& server, caf::actor const& collector) {
    if (self->state.left-- == 0) {
        self->send(collector, Integer{1});
        self->quit();
        return;
    }
    self->request(server, std::chrono::seconds(5), Integer{7}).then([=](Integer) {
        ask(self, server, collector);
    });
}
caf::behavior client(Actor self, caf::actor server, Integer calls, caf::actor collector) {
    self->state.left = calls;
    return {[=](Integer) { ask(self, server, collector); }};
}
caf::behavior ring_member(Actor self, caf::actor next, std::promise<void>* done) {
    self->state.peer = std::move(next);
    return {[=](Integer left) {
                if (left == 0) {
                    done->set_value();
                    return;
                }
                self->send(self->state.peer, left - 1);
            },
            [=](caf::actor const& other) { self->state.peer = other; }};
}
caf::behavior spinner(caf::event_based_actor* /*self*/) {
    return {[](Integer) {
        Integer value = 1;
        for (int i = 0; i < 100; ++i) {
            value = (value * 1103515245 + 12345) & 0x7fffffff;
        }
        return value;
    }};
}
void ask_mostly_one(Actor self, std::vector<caf::actor> const* servers, Integer number,
                    caf::actor const& collector) {
    Integer const n = self->state.left--;
    if (n == 0) {
        self->send(collector, Integer{1});
        self->quit();
        return;
    }
    bool const is_hot = (n * 7919 + number * 104729) % 10 != 0;
    std::size_t const cold = 1 + static_cast<std::size_t>(n * 31 + number) % 999;
    self->request((*servers)[is_hot ? 0 : cold], std::chrono::seconds(5), Integer{7}).then([=](Integer) {
        ask_mostly_one(self, servers, number, collector);
    });
}

class Bench {
public:
    explicit Bench(caf::actor_system& system)
        : m_system(system) {}

    void ping_pong() {
        constexpr Integer count = 1'000'000;
        auto const pinger = m_system.spawn(ping, m_system.spawn(echo), count, collector(1));
        run("pingpong", "round_trips", count, {pinger}, -1);
    }
    void calls(Integer clients) {
        constexpr Integer count = 500'000;
        auto const server = m_system.spawn(answer);
        auto const end = collector(clients);
        std::vector<caf::actor> all;
        for (Integer i = 0; i < clients; ++i) {
            all.push_back(m_system.spawn(client, server, count / clients, end));
        }
        run("call" + std::to_string(clients), "calls", count, all, 0);
    }
    void ring() {
        constexpr Integer hops = 3'000'000;
        auto const first = m_system.spawn(ring_member, caf::actor{}, &m_done);
        auto last = first;
        for (int i = 1; i < 1000; ++i) {
            last = m_system.spawn(ring_member, last, &m_done);
        }
        caf::anon_send(first, last);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        run("ring", "hops", hops, {last}, hops);
    }
    void fan_in(Integer producers) {
        constexpr Integer count = 2'000'000;
        Integer const each = count / producers;
        auto const sink = collector(each * producers);
        std::vector<caf::actor> all;
        for (Integer i = 0; i < producers; ++i) {
            all.push_back(m_system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
                return {[=](Integer) {
                    for (Integer k = 0; k < each; ++k) {
                        self->send(sink, k);
                    }
                    self->quit();
                }};
            }));
        }
        run("fanin" + std::to_string(producers), "messages", each * producers, all, 0);
    }
    void pairs() {
        constexpr Integer count = 5000;
        constexpr Integer each = 200;
        auto const end = collector(count);
        std::vector<caf::actor> pingers;
        for (Integer i = 0; i < count; ++i) {
            pingers.push_back(m_system.spawn(ping, m_system.spawn(echo), each, end));
        }
        run("pairs", "messages", 2 * count * each, pingers, -1);
    }
    void spawn_exit() {
        constexpr Integer count = 500'000;
        auto const start = Clock::now();
        m_system.spawn([](caf::event_based_actor* self) {
            for (Integer i = 0; i < count; ++i) {
                self->spawn([](caf::event_based_actor*) {});
            }
        });
        m_system.await_all_actors_done();
        report_rate("spawn_exit", "processes", count, Clock::now() - start);
    }
    void memory() {
        constexpr int count = 200'000;
        double const before = resident_bytes();
        std::vector<caf::actor> actors;
        actors.reserve(count);
        for (int i = 0; i < count; ++i) {
            actors.push_back(m_system.spawn(answer));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        report("memory", "bytes", (resident_bytes() - before) / count, "B");
        leave();
    }
    /// By hand: CAF has monitors and no supervisors.
    void restart() {
        constexpr std::size_t count = 20'000;
        auto const start = Clock::now();
        auto const supervisor = m_system.spawn([this](Actor self) -> caf::behavior {
            auto const crash = [=] {
                self->state.start = Clock::now();
                self->send(self->state.peer, std::int32_t{1});
            };
            auto const begin = [=] {
                self->state.peer = self->spawn(victim);
                self->monitor(self->state.peer);
            };
            self->set_down_handler([=, this](caf::down_msg&) {
                begin();
                self->request(self->state.peer, std::chrono::seconds(5), Integer{1}).then([=, this](Integer) {
                    self->state.times.push_back(
                        std::chrono::duration<double, std::micro>(Clock::now() - self->state.start).count());
                    if (self->state.times.size() == count) {
                        m_times = self->state.times;
                        m_done.set_value();
                        return;
                    }
                    crash();
                });
            });
            return {[=](Integer) {
                begin();
                crash();
            }};
        });
        caf::anon_send(supervisor, Integer{1});
        m_done.get_future().wait();
        report_rate("restart", "restarts", count, Clock::now() - start);
        report_percentiles("restart", "crash_to_answer", m_times, "us");
        leave();
    }
    void timers() {
        constexpr Integer count = 1'000'000;
        auto const alarm_clock = m_system.spawn([this](Actor self) -> caf::behavior {
            return {[=, this](std::int32_t) {
                        std::uint64_t random = 42;
                        auto const start = Clock::now();
                        for (Integer i = 0; i < count; ++i) {
                            random = random * 6364136223846793005ULL + 1;
                            std::chrono::milliseconds const delay(2000 + (random >> 33) % 3000);
                            self->delayed_send(self, delay,
                                               (Clock::now() + delay).time_since_epoch().count());
                        }
                        report_rate("timers", "set", count, Clock::now() - start);
                    },
                    [=, this](Integer due) {
                        auto const late = Clock::now().time_since_epoch().count() - due;
                        self->state.times.push_back(static_cast<double>(late) / 1e6);
                        if (self->state.times.size() == count) {
                            m_times = self->state.times;
                            m_done.set_value();
                        }
                    }};
        });
        caf::anon_send(alarm_clock, std::int32_t{1});
        m_done.get_future().wait();
        report_percentiles("timers_late", "late", m_times, "ms");
        leave();
    }
    void parcel() {
        constexpr Integer count = 1'000'000;
        auto const courier = m_system.spawn([](caf::event_based_actor*) -> caf::behavior {
            return {[](Buffer& bytes) { return std::move(bytes); }};
        });
        auto const sender = m_system.spawn([this, courier](Actor self) -> caf::behavior {
            self->state.left = count;
            return {[=](Integer) { self->send(courier, Buffer(65'536)); },
                    [=, this](Buffer& bytes) {
                        if (--self->state.left == 0) {
                            m_done.set_value();
                            return;
                        }
                        self->send(courier, std::move(bytes));
                    }};
        });
        run("parcel", "round_trips", count, {sender}, 1);
    }
    void hot() {
        constexpr Integer clients = 100;
        constexpr Integer each = 5000;
        std::vector<caf::actor> servers;
        for (int i = 0; i < 1000; ++i) {
            servers.push_back(m_system.spawn(spinner));
        }
        auto const end = collector(clients);
        std::vector<caf::actor> all;
        for (Integer i = 0; i < clients; ++i) {
            all.push_back(m_system.spawn([=, &servers](Actor self) -> caf::behavior {
                self->state.left = each;
                return {[=, &servers](Integer) { ask_mostly_one(self, &servers, i, end); }};
            }));
        }
        run("hot", "calls", clients * each, all, 0);
    }
    void idle() { report("idle", "memory", resident_bytes() / 1048576, "MiB"); }

private:
    caf::actor collector(Integer count) { return m_system.spawn(collect, count, &m_done); }
    static caf::behavior victim(caf::event_based_actor* self) {
        self->set_exception_handler(
            [](std::exception_ptr&) -> caf::error { return caf::sec::runtime_error; });
        return {[](Integer value) { return value; }, [](std::int32_t) { throw std::runtime_error("crash"); }};
    }
    [[noreturn]] void run(std::string const& name, char const* metric, Integer count,
                          std::vector<caf::actor> const& actors, Integer message) {
        auto const start = Clock::now();
        for (auto const& actor : actors) {
            caf::anon_send(actor, message);
        }
        m_done.get_future().wait();
        report_rate(name, metric, count, Clock::now() - start);
        leave();
    }
    caf::actor_system& m_system;
    std::promise<void> m_done;
    std::vector<double> m_times;
};

int run_case(caf::actor_system& system, std::string const& name) {
    struct Case {
        char const* name;
        void (*run)(Bench& bench);
    };
    static constexpr Case cases[] = {
        {"pingpong", [](Bench& bench) { bench.ping_pong(); }},
        {"call1", [](Bench& bench) { bench.calls(1); }},
        {"call100", [](Bench& bench) { bench.calls(100); }},
        {"ring", [](Bench& bench) { bench.ring(); }},
        {"fanin2", [](Bench& bench) { bench.fan_in(2); }},
        {"fanin100", [](Bench& bench) { bench.fan_in(100); }},
        {"pairs", [](Bench& bench) { bench.pairs(); }},
        {"spawn_exit", [](Bench& bench) { bench.spawn_exit(); }},
        {"memory", [](Bench& bench) { bench.memory(); }},
        {"restart", [](Bench& bench) { bench.restart(); }},
        {"timers_late", [](Bench& bench) { bench.timers(); }},
        {"parcel", [](Bench& bench) { bench.parcel(); }},
        {"hot", [](Bench& bench) { bench.hot(); }},
        {"idle", [](Bench& bench) { bench.idle(); }},
        {"halt", [](Bench&) {}},
    };
    for (Case const& one : cases) {
        if (name == one.name) {
            Bench bench(system);
            one.run(bench);
            return 0;
        }
    }
    std::fprintf(stderr, "caf_peer: no such case: %s\n", name.c_str());
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: caf_peer THREADS CASE\n");
        return 2;
    }
    caf::actor_system_config config;
    config.set("scheduler.max-threads", static_cast<std::size_t>(std::atoi(argv[1])));
    caf::actor_system system{config};
    return run_case(system, argv[2]);
}
