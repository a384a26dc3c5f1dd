// Random supervision trees under random crashes, against a model of OTP's rules: the same children start and
// stop in the same order, restarts are counted exactly, nobody is left over.
#include "restart_limit.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using Lines = std::vector<std::string>;

struct Crash {};
struct Finish {};

class Leaf : public Server<Leaf> {
public:
    struct Options {
        std::string name = {};
        Lines* lines = nullptr;
    };
    explicit Leaf(Options options)
        : m_options(std::move(options)) {}
    void init() {
        set_trap_exit(true);
        m_options.lines->push_back("up " + m_options.name);
    }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    void handle_cast(Finish /*message*/) { stop(); }
    void terminate(ExitReason const& /*reason*/) { m_options.lines->push_back("down " + m_options.name); }

private:
    Options m_options;
};

/// A supervisor and what OTP's rules say it does.
struct Model {
    struct Child {
        std::string id;
        Restart restart = Restart::permanent;
        std::shared_ptr<Model> subtree = nullptr;
        bool is_running = false;
    };
    SupervisorOptions options;
    std::vector<Child> specs;
    std::vector<Child> children;
    std::optional<detail::RestartLimit> limit;

    [[nodiscard]] Supervisor to_spec(Lines* lines) const {
        Supervisor spec{options, {}};
        for (Child const& one : specs) {
            ChildOptions const place{.id = one.id, .restart = one.restart};
            spec.children.push_back(one.subtree ? child(one.subtree->to_spec(lines), place)
                                                : child<Leaf>({.name = one.id, .lines = lines}, place));
        }
        return spec;
    }
    void start_all(Lines& lines) {
        children = specs;
        limit.emplace(options.intensity, options.period);
        for (Child& one : children) {
            start(one, lines);
        }
    }
    static void start(Child& one, Lines& lines) {
        one.is_running = true;
        if (one.subtree) {
            one.subtree->start_all(lines);
        } else {
            lines.push_back("up " + one.id);
        }
    }
    void stop_from(std::size_t first, Lines& lines) {
        for (std::size_t at = children.size(); at-- > first;) {
            Child& one = children[at];
            if (std::exchange(one.is_running, false)) {
                if (one.subtree) {
                    one.subtree->stop_from(0, lines);
                } else {
                    lines.push_back("down " + one.id);
                }
            }
            if (one.restart == Restart::temporary) {
                children.erase(children.begin() + static_cast<std::ptrdiff_t>(at));
            }
        }
    }
    /// A child ended. True: this supervisor gives up.
    bool ended(std::size_t at, bool is_orderly, MonotonicTime now, Lines& lines) {
        children[at].is_running = false;
        Restart const restart = children[at].restart;
        if (restart == Restart::temporary) {
            children.erase(children.begin() + static_cast<std::ptrdiff_t>(at));
            return false;
        }
        if (restart == Restart::transient && is_orderly) {
            return false;
        }
        if (!limit->add(now)) {
            return true;
        }
        if (options.strategy == Strategy::one_for_one) {
            start(children[at], lines);
            return false;
        }
        std::size_t const first = options.strategy == Strategy::one_for_all ? 0 : at;
        stop_from(first, lines);
        for (std::size_t next = first; next < children.size(); ++next) {
            start(children[next], lines);
        }
        return false;
    }
    /// The leaf `id` ended. Nothing: it is not below here. True: this supervisor gives up.
    std::optional<bool> leaf_ended(std::string const& id, bool is_orderly, MonotonicTime now, Lines& lines) {
        for (std::size_t at = 0; at < children.size(); ++at) {
            if (!children[at].is_running) {
                continue;
            }
            if (children[at].id == id) {
                lines.push_back("down " + id);
                return ended(at, is_orderly, now, lines);
            }
            if (!children[at].subtree) {
                continue;
            }
            auto const below = children[at].subtree->leaf_ended(id, is_orderly, now, lines);
            if (below && *below) {
                children[at].subtree->stop_from(0, lines);
                return ended(at, true, now, lines);
            }
            if (below) {
                return false;
            }
        }
        return std::nullopt;
    }
    void collect(std::vector<std::string>& leaves, std::size_t& processes) const {
        ++processes;
        for (Child const& one : children) {
            if (one.is_running && one.subtree) {
                one.subtree->collect(leaves, processes);
            } else if (one.is_running) {
                ++processes;
                leaves.push_back(one.id);
            }
        }
    }
};

class TreeMaker {
public:
    explicit TreeMaker(std::uint64_t seed)
        : m_random(seed) {}
    [[nodiscard]] std::size_t pick(std::size_t count) { return m_random() % count; }
    [[nodiscard]] std::shared_ptr<Model> make(int depth) {
        auto model = std::make_shared<Model>();
        model->options.strategy = static_cast<Strategy>(pick(3));
        model->options.intensity = static_cast<unsigned>(pick(4));
        model->options.period = std::chrono::seconds(1 + pick(5));
        std::size_t const count = 1 + pick(4);
        for (std::size_t i = 0; i < count; ++i) {
            Model::Child one{.id = "n" + std::to_string(m_next++), .restart = static_cast<Restart>(pick(3))};
            if (depth > 0 && pick(3) == 0) {
                one.subtree = make(depth - 1);
            }
            model->specs.push_back(std::move(one));
        }
        return model;
    }

private:
    std::mt19937_64 m_random;
    int m_next = 0;
};

RC_GTEST_PROP(SupervisorTrees, behave_as_otp_says, (std::uint64_t seed)) {
    Simulation simulation(seed);
    TreeMaker maker(seed);
    auto const model = maker.make(2);
    Lines lines;
    Lines expected;
    auto const root = simulation.node().start(model->to_spec(&lines));
    RC_ASSERT(root.has_value());
    model->start_all(expected);
    bool is_root_alive = true;
    for (int step = 0; step < 25 && is_root_alive; ++step) {
        std::vector<std::string> leaves;
        std::size_t processes = 0;
        model->collect(leaves, processes);
        RC_ASSERT(simulation.node().process_count() == processes);
        if (leaves.empty()) {
            break;
        }
        std::string const id = leaves[maker.pick(leaves.size())];
        bool const is_orderly = maker.pick(3) == 0;
        if (is_orderly) {
            cast(name<Leaf>(id), Finish{});
        } else {
            cast(name<Leaf>(id), Crash{});
        }
        simulation.run_until_settled();
        auto const gives_up = model->leaf_ended(id, is_orderly, simulation.now(), expected);
        RC_ASSERT(gives_up.has_value());
        if (*gives_up) {
            model->stop_from(0, expected);
            is_root_alive = false;
        }
        RC_ASSERT(lines == expected);
        RC_ASSERT(is_alive(*root) == is_root_alive);
        simulation.advance(std::chrono::milliseconds(maker.pick(3000)));
    }
    if (is_root_alive) {
        RC_ASSERT(stop_and_wait(*root, ExitReason::shutdown(), std::chrono::hours(1)).has_value());
        model->stop_from(0, expected);
    }
    RC_ASSERT(lines == expected);
    RC_ASSERT(simulation.node().process_count() == 0U);
}

/// Monitors whom it is told to, and counts the answers of each monitor.
struct Watch {
    Pid process;
};
class Watcher : public Server<Watcher> {
public:
    explicit Watcher(std::map<MonitorRef, int>& answers)
        : m_answers(&answers) {}
    void handle_cast(Watch watch) { m_answers->emplace(monitor(watch.process), 0); }
    void handle_info(Down message) { ++m_answers->at(message.monitor); }

private:
    std::map<MonitorRef, int>* m_answers;
};

// Children crash whenever they like, also while their supervisor is busy: whatever the interleaving, it comes
// to rest with every permanent child up, or gone altogether.
RC_GTEST_PROP(SupervisorTrees, come_to_rest_after_a_storm_of_crashes, (std::uint64_t seed)) {
    Simulation simulation(seed);
    TreeMaker maker(seed);
    auto const model = maker.make(2);
    Lines lines;
    auto const root = simulation.node().start(model->to_spec(&lines));
    RC_ASSERT(root.has_value());
    std::map<MonitorRef, int> answers;
    auto const watcher = simulation.node().start<Watcher>({}, std::ref(answers)).value();
    cast(watcher, Watch{*root});
    for (int step = 0; step < 60; ++step) {
        std::string const id = "n" + std::to_string(maker.pick(12));
        switch (maker.pick(5)) {
        case 4:
            cast(watcher, Watch{whereis(name<Leaf>(id))});
            break;
        case 0:
            cast(name<Leaf>(id), Crash{});
            break;
        case 1:
            exit(whereis(name<Leaf>(id)), ExitReason::kill());
            break;
        case 2:
            simulation.advance(std::chrono::milliseconds(maker.pick(2000)));
            break;
        default:
            simulation.step();
        }
    }
    simulation.run_until_settled();
    if (is_alive(*root)) {
        auto const children = call(*root, WhichChildren{}).value();
        for (ChildInfo const& info : children) {
            RC_ASSERT(info.state != ChildInfo::State::restarting);
            bool const is_true = !info.pid || is_alive(info.pid);
            RC_ASSERT(is_true);
        }
        RC_ASSERT(stop_and_wait(*root, ExitReason::shutdown(), std::chrono::hours(1)).has_value());
    }
    simulation.run_until_settled();
    for (auto const& [ref, count] : answers) {
        RC_ASSERT(count == 1);
    }
    RC_ASSERT(simulation.node().process_count() == 1U);
}

// Children are started, finish, crash, are terminated and killed at random: the supervisor always knows
// exactly those that run, and gives up exactly when OTP's count says so.
RC_GTEST_PROP(DynamicSupervisorTrees, know_exactly_who_runs, (std::uint64_t seed)) {
    Simulation simulation(seed);
    TreeMaker maker(seed);
    DynamicSupervisor::Options const options{.max_children = 6,
                                             .intensity = static_cast<unsigned>(maker.pick(6)),
                                             .period = std::chrono::seconds(1 + maker.pick(5))};
    auto const supervisor = simulation.node().start<DynamicSupervisor>({}, options).value();
    detail::RestartLimit limit(options.intensity, options.period);
    std::map<std::string, Restart> model;
    Lines lines;
    bool is_alive_in_model = true;
    for (int step = 0; step < 40 && is_alive_in_model; ++step) {
        std::string const id = "d" + std::to_string(maker.pick(8));
        auto const known = model.find(id);
        bool const ends_in_order = maker.pick(2) == 0;
        if (known == model.end()) {
            auto const restart = static_cast<Restart>(maker.pick(3));
            auto const started =
                call(supervisor,
                     StartChild{child<Leaf>({.name = id, .lines = &lines}, {.id = id, .restart = restart})});
            RC_ASSERT(started.has_value() == (model.size() < options.max_children));
            if (started) {
                model.emplace(id, restart);
            }
        } else if (maker.pick(4) == 0) {
            RC_ASSERT(call(supervisor, TerminatePid{whereis(name<Leaf>(id))}).has_value());
            model.erase(known);
        } else {
            if (ends_in_order) {
                cast(name<Leaf>(id), Finish{});
            } else {
                exit(whereis(name<Leaf>(id)), ExitReason::kill());
            }
            simulation.run_until_settled();
            bool const is_restarted = known->second == Restart::permanent ||
                                      (known->second == Restart::transient && !ends_in_order);
            if (!is_restarted) {
                model.erase(known);
            } else {
                is_alive_in_model = limit.add(simulation.now());
            }
        }
        simulation.run_until_settled();
        RC_ASSERT(is_alive(supervisor) == is_alive_in_model);
        for (auto const& [running, restart] : model) {
            bool const runs = static_cast<bool>(whereis(name<Leaf>(running)));
            RC_ASSERT(runs == is_alive_in_model);
        }
        if (is_alive_in_model) {
            RC_ASSERT(call(supervisor, CountChildren{}).value().active == model.size());
            RC_ASSERT(simulation.node().process_count() == model.size() + 1);
        }
        simulation.advance(std::chrono::milliseconds(maker.pick(2000)));
    }
    if (is_alive_in_model) {
        RC_ASSERT(stop_and_wait(supervisor, ExitReason::shutdown()).has_value());
    }
    simulation.run_until_settled();
    RC_ASSERT(simulation.node().process_count() == 0U);
}

} // namespace
} // namespace sinew::testing
