// Random programs against models: order and completeness of messages between pairs, links, monitors.
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;

/// The `number`-th message of `sender` to one receiver.
struct Numbered {
    std::size_t sender = 0;
    std::size_t number = 0;
};

/// What receivers got, by sender.
using Received = std::vector<std::map<std::size_t, std::vector<std::size_t>>>;

class Receiver : public Server<Receiver> {
public:
    Receiver(std::size_t index, Received* received)
        : m_index(index)
        , m_received(received) {}
    void handle_info(Numbered message) { (*m_received)[m_index][message.sender].push_back(message.number); }
    void handle_cast(Numbered message) { handle_info(message); }

private:
    std::size_t m_index;
    Received* m_received;
};

RC_GTEST_PROP(MailboxModel, messages_of_each_pair_arrive_in_order_none_lost_none_twice, ()) {
    auto const seed = *rc::gen::arbitrary<std::uint64_t>();
    auto const receivers = *rc::gen::inRange<std::size_t>(1, 4);
    // For each sender: whom it sends to, in order.
    auto const plans = *rc::gen::resize(
        30, rc::gen::container<std::vector<std::vector<std::size_t>>>(
                rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, receivers))));
    auto const is_delayed = *rc::gen::arbitrary<bool>();

    Simulation simulation(seed);
    if (is_delayed) {
        simulation.faults().be_random({.delay = 0.2, .longest_delay = 50ms});
    }
    Received received(receivers);
    std::vector<ServerRef<Receiver>> servers;
    for (std::size_t at = 0; at < receivers; ++at) {
        servers.push_back(spawn<Receiver>(at, &received));
    }
    for (std::size_t sender = 0; sender < plans.size(); ++sender) {
        spawn([sender, &plan = plans[sender], &servers]() -> Async<> {
            std::map<std::size_t, std::size_t> next;
            for (std::size_t const target : plan) {
                Numbered const message{sender, next[target]++};
                if (message.number % 3 == 2) {
                    cast(servers[target], message);
                } else {
                    send(servers[target], message);
                }
                if (message.number % 2 == 1) {
                    co_await pause(1ms);
                }
            }
        });
    }
    simulation.travel_until_settled();

    Received expected(receivers);
    for (std::size_t sender = 0; sender < plans.size(); ++sender) {
        for (std::size_t const target : plans[sender]) {
            auto& numbers = expected[target][sender];
            numbers.push_back(numbers.size());
        }
    }
    RC_ASSERT(received == expected);
}

/// Whose monitors were answered, and how often.
struct Answers {
    std::map<MonitorRef, int> downs;
};
struct Watch {
    Pid whom;
};
struct Unwatch {
    std::size_t which = 0;
};
struct End {
    bool is_crash = false;
};

class Member : public Server<Member> {
public:
    Member(Answers* answers, std::set<MonitorRef>* armed)
        : m_answers(answers)
        , m_armed(armed) {}
    void handle_cast(Watch watch) {
        MonitorRef const ref = monitor(watch.whom);
        m_refs.push_back(ref);
        m_armed->insert(ref);
    }
    void handle_cast(Unwatch unwatch) {
        if (!m_refs.empty()) {
            MonitorRef const ref = m_refs[unwatch.which % m_refs.size()];
            (void)demonitor(ref);
            if (m_answers->downs[ref] == 0) {
                m_armed->erase(ref); // From now on it must stay silent.
                m_silenced.insert(ref);
            }
        }
    }
    void handle_cast(End end) {
        if (end.is_crash) {
            throw std::runtime_error("end");
        }
        stop();
    }
    void handle_info(Down down) {
        if (m_silenced.contains(down.monitor)) {
            throw std::logic_error("a Down after demonitor()");
        }
        ++m_answers->downs[down.monitor];
    }
    void terminate(ExitReason const& /*reason*/) {
        // Its own monitors end with it: what isn't answered yet never will be.
        for (MonitorRef const ref : m_refs) {
            if (m_answers->downs[ref] == 0) {
                m_armed->erase(ref);
            }
        }
    }

private:
    Answers* m_answers;
    std::set<MonitorRef>* m_armed;
    std::vector<MonitorRef> m_refs;
    std::set<MonitorRef> m_silenced;
};

struct Step {
    std::uint8_t kind = 0;
    std::size_t who = 0;
    std::size_t whom = 0;
};
std::vector<Step> arbitrary_steps(std::uint8_t kinds, std::size_t members) {
    return *rc::gen::resize(
        60, rc::gen::container<std::vector<Step>>(
                rc::gen::map(rc::gen::tuple(rc::gen::inRange<std::uint8_t>(0, kinds),
                                            rc::gen::inRange<std::size_t>(0, members),
                                            rc::gen::inRange<std::size_t>(0, members)),
                             [](std::tuple<std::uint8_t, std::size_t, std::size_t> const& parts) {
                                 return Step{std::get<0>(parts), std::get<1>(parts), std::get<2>(parts)};
                             })));
}

RC_GTEST_PROP(MonitorModel, each_monitor_is_answered_exactly_once, ()) {
    constexpr std::size_t members = 5;
    auto const seed = *rc::gen::arbitrary<std::uint64_t>();
    auto const steps = arbitrary_steps(4, members);
    Simulation simulation(seed);
    Answers answers;
    std::set<MonitorRef> armed;
    std::vector<ServerRef<Member>> all;
    for (std::size_t at = 0; at < members; ++at) {
        all.push_back(spawn<Member>(&answers, &armed));
    }
    for (Step const& step : steps) {
        if (step.kind <= 1) {
            cast(all[step.who], Watch{all[step.whom]});
        } else if (step.kind == 2) {
            cast(all[step.who], Unwatch{step.whom});
        } else {
            cast(all[step.who], End{step.whom % 2 == 0});
        }
        if (step.whom % 3 == 0) {
            simulation.step();
        }
    }
    simulation.run_until_settled();
    // Now everybody ends but the last, one after the other: who still watches hears of each.
    for (std::size_t at = 0; at + 1 < members; ++at) {
        cast(all[at], End{});
        simulation.run_until_settled();
    }
    for (auto const& [ref, count] : answers.downs) {
        RC_ASSERT(count <= 1);
    }
    if (is_alive(all.back())) {
        cast(all.back(), End{});
        simulation.run_until_settled();
    }
    for (MonitorRef const ref : armed) {
        RC_ASSERT(answers.downs[ref] == 1);
    }
    RC_ASSERT(simulation.node().process_count() == 0);
}

/// Who is linked with whom, and who traps, by OTP's rules.
class LinkModel {
public:
    explicit LinkModel(std::size_t members)
        : m_is_alive(members, true)
        , m_traps(members, false)
        , m_exits(members, 0) {}
    void link(std::size_t a, std::size_t b) {
        if (a == b || !m_is_alive[a]) {
            return;
        }
        if (!m_is_alive[b]) {
            signal(a); // noproc
            return;
        }
        m_links.insert(std::minmax(a, b));
    }
    void unlink(std::size_t a, std::size_t b) {
        if (m_is_alive[a]) {
            m_links.erase(std::minmax(a, b));
        }
    }
    void trap(std::size_t who) { m_traps[who] = m_traps[who] || m_is_alive[who]; }
    void crash(std::size_t who) {
        if (!m_is_alive[who]) {
            return;
        }
        m_is_alive[who] = false;
        for (std::size_t other = 0; other < m_is_alive.size(); ++other) {
            if (m_links.erase(std::minmax(who, other)) != 0) {
                signal(other);
            }
        }
    }
    [[nodiscard]] bool is_alive(std::size_t who) const { return m_is_alive[who]; }
    [[nodiscard]] int exits(std::size_t who) const { return m_exits[who]; }

private:
    void signal(std::size_t who) {
        if (!m_is_alive[who]) {
            return;
        }
        if (m_traps[who]) {
            ++m_exits[who];
        } else {
            crash(who);
        }
    }
    std::set<std::pair<std::size_t, std::size_t>> m_links;
    std::vector<bool> m_is_alive;
    std::vector<bool> m_traps;
    std::vector<int> m_exits;
};

struct Link {
    Pid with;
};
struct Unlink {
    Pid from;
};
struct Trap {};
class Linked : public Server<Linked> {
public:
    Linked(std::size_t index, std::vector<int>* exits)
        : m_index(index)
        , m_exits(exits) {}
    void handle_cast(Link message) { link(message.with); }
    void handle_cast(Unlink message) { unlink(message.from); }
    void handle_cast(Trap /*message*/) { set_trap_exit(true); }
    void handle_cast(End /*message*/) { throw std::runtime_error("end"); }
    void handle_info(Exit /*message*/) { ++(*m_exits)[m_index]; }

private:
    std::size_t m_index;
    std::vector<int>* m_exits;
};

RC_GTEST_PROP(LinkModel, an_end_spreads_over_links_exactly_as_it_should, ()) {
    constexpr std::size_t members = 6;
    auto const seed = *rc::gen::arbitrary<std::uint64_t>();
    auto const steps = arbitrary_steps(8, members);
    Simulation simulation(seed);
    LinkModel model(members);
    std::vector<int> exits(members, 0);
    std::vector<ServerRef<Linked>> all;
    for (std::size_t at = 0; at < members; ++at) {
        all.push_back(spawn<Linked>(at, &exits));
    }
    for (Step const& step : steps) {
        if (step.kind <= 4) {
            cast(all[step.who], Link{all[step.whom]});
            model.link(step.who, step.whom);
        } else if (step.kind == 5) {
            cast(all[step.who], Unlink{all[step.whom]});
            model.unlink(step.who, step.whom);
        } else if (step.kind == 6) {
            cast(all[step.who], Trap{});
            model.trap(step.who);
        } else {
            cast(all[step.who], End{});
            model.crash(step.who);
        }
        simulation.run_until_settled();
    }
    for (std::size_t at = 0; at < members; ++at) {
        RC_ASSERT(is_alive(all[at]) == model.is_alive(at));
        RC_ASSERT(exits[at] == model.exits(at));
    }
}

} // namespace
} // namespace sinew::testing
