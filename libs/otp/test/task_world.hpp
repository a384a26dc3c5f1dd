/// TaskTest: an owner that waits for tasks in a simulation.
///
/// Threading: the test's thread.
#pragma once

#include "world.hpp"

#include <sinew/otp.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {

/// Runs a coroutine that waits for tasks, and counts what its mailbox brings.
struct Work {
    std::function<Async<>(class Owner&)> function;
};
class Owner : public Server<Owner> {
public:
    explicit Owner(Journal& journal, bool traps_exit = false)
        : m_journal(&journal)
        , m_traps_exit(traps_exit) {}
    void init() { set_trap_exit(m_traps_exit); }
    Async<> handle_info(Work work) {
        auto const function = std::make_shared<std::function<Async<>(Owner&)>>(std::move(work.function));
        Async<> running = (*function)(*this);
        co_await running;
    }
    void handle_info(Exit exit) { say("EXIT " + exit.reason.to_string()); }
    void handle_info(Down down) { say("DOWN " + down.reason.to_string()); }
    void say(std::string const& text) { m_journal->add(text); }
    void say(Result<int> const& result) {
        say(result ? std::to_string(*result)
                   : std::string(to_string(result.error().code())) + ": " + result.error().message());
    }
    std::vector<Task<int>> tasks;

private:
    Journal* m_journal;
    bool m_traps_exit;
};

inline Async<int> after(Duration time, int value) {
    co_await pause(time);
    co_return value;
}

class TaskTest : public ::testing::Test {
protected:
    ServerRef<Owner> start(bool traps_exit = false) {
        return simulation.node().start<Owner>({}, std::ref(journal), traps_exit).value();
    }
    ServerRef<Owner> run(std::function<Async<>(Owner&)> function, bool traps_exit = false) {
        auto const owner = start(traps_exit);
        send(owner, Work{std::move(function)});
        simulation.run_until_settled();
        return owner;
    }
    std::vector<std::string> lines() {
        simulation.run_until_settled();
        return journal.lines();
    }
    Simulation simulation;
    Journal journal;
};

} // namespace sinew::testing
