/// SupervisorTest: supervisors of workers that tell a journal of their starts and ends.
///
/// Threading: the test's thread.
#pragma once

#include "world.hpp"

#include <sinew/otp.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {

struct Crash {};
struct EndWith {
    ExitReason reason;
};

/// Tells the journal "up NAME" and "down NAME reason"; its start can be made to fail.
class Worker : public Server<Worker> {
public:
    struct Options {
        std::string name = {};
        Journal* journal = nullptr;
        /// Says what the n-th start does.
        std::function<Result<Start>(int)> on_start = {};
        std::shared_ptr<std::atomic<int>> starts = std::make_shared<std::atomic<int>>(0);
        Duration stop_takes = Duration(0);
    };
    explicit Worker(Options options)
        : m_options(std::move(options)) {}
    Result<Start> init() {
        set_trap_exit(true);
        int const count = ++*m_options.starts;
        Result<Start> result = m_options.on_start ? m_options.on_start(count) : Start::running;
        if (result && *result == Start::running) {
            m_options.journal->add("up " + m_options.name);
        }
        return result;
    }
    void handle_cast(Crash /*message*/) { throw std::runtime_error("boom"); }
    void handle_cast(EndWith message) { stop(std::move(message.reason)); }
    Async<> terminate(ExitReason reason) {
        if (m_options.stop_takes > Duration(0)) {
            co_await pause(m_options.stop_takes);
        }
        m_options.journal->add("down " + m_options.name + " " + reason.to_string());
    }

private:
    Options m_options;
};

class SupervisorTest : public WorldTest {
protected:
    ChildSpec worker(std::string const& id, ChildOptions options = {}) {
        options.id = id;
        return child<Worker>({.name = id, .journal = &journal}, options);
    }
    ChildSpec worker(std::string const& id, std::function<Result<Start>(int)> on_start,
                     ChildOptions options = {}) {
        options.id = id;
        return child<Worker>({.name = id, .journal = &journal, .on_start = std::move(on_start)}, options);
    }
    /// Starts a, b, c under `strategy` and forgets their "up" lines.
    SupervisorRef start_abc(Strategy strategy, SupervisorOptions options = {}, ChildOptions for_b = {}) {
        options.strategy = strategy;
        auto const supervisor =
            world.node().start(supervise(options, {worker("a"), worker("b", for_b), worker("c")})).value();
        journal.clear();
        return supervisor;
    }
    static void crash(std::string const& id) { cast(name<Worker>(id), Crash{}); }
    static void end(std::string const& id, ExitReason reason) {
        cast(name<Worker>(id), EndWith{std::move(reason)});
    }
    static std::vector<std::string> ids(SupervisorRef supervisor) {
        std::vector<std::string> result;
        auto const children = call(supervisor, WhichChildren{}).value();
        for (ChildInfo const& info : children) {
            result.push_back(info.id + (info.state == ChildInfo::State::running      ? ""
                                        : info.state == ChildInfo::State::restarting ? " restarting"
                                                                                     : " stopped"));
        }
        return result;
    }
};

} // namespace sinew::testing
