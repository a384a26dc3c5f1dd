// Random supervision trees under random crashes, failing starts and terminations, against a model of OTP's
// rules: the same children start and stop in the same order, restarts are counted exactly, nobody is left
// over.
#include "supervisor/restart_limit.hpp"
#include "supervisor_model.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

RC_GTEST_PROP(SupervisorTrees, behave_as_otp_says, (std::uint64_t seed)) {
    Simulation simulation(seed);
    TreeMaker maker(seed);
    auto const model = maker.make(2);
    Lines lines;
    Lines expected;
    auto const root = simulation.node().start(model->to_spec(&lines));
    RC_ASSERT(root.has_value());
    RC_ASSERT(model->start_all(expected));
    bool is_root_alive = true;
    for (int step = 0; step < 25 && is_root_alive; ++step) {
        std::vector<std::string> leaves;
        std::size_t processes = 0;
        model->collect(leaves, processes);
        RC_ASSERT(simulation.node().process_count() == processes);
        if (leaves.empty()) {
            break;
        }
        if (maker.pick(8) == 0) {
            std::size_t const at = maker.pick(model->children.size());
            bool const is_done = call(*root, TerminateChild{model->children[at].id}).has_value();
            RC_ASSERT(is_done);
            model->terminate(at, expected);
            RC_ASSERT(lines == expected);
            continue;
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
