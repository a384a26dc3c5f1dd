/// World: the same test on a simulation and on real threads. Journal and Probe: what happened, told by
/// processes. LineSink: what was logged. eventually(): for what nobody announces.
///
/// Threading: the test's thread; a Journal and a LineSink lock.
#pragma once

#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::testing {

/// Only ends a test that hangs.
inline constexpr std::chrono::minutes patience{5};

/// Looks again and again until `condition` holds. False: it never did.
template<typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
    auto const end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

/// What was logged, a line each.
class LineSink final : public log::Sink {
public:
    void write(log::Event const& event) noexcept override {
        std::lock_guard const lock(m_mutex);
        m_text += std::string(event.text) + "\n";
        m_changed.notify_all();
    }
    [[nodiscard]] std::string text() const {
        std::lock_guard const lock(m_mutex);
        return m_text;
    }
    /// Waits until `part` was logged. False: it never was.
    [[nodiscard]] bool wait_for(std::string_view part) const {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, patience, [&] { return m_text.find(part) != std::string::npos; });
    }

private:
    mutable std::mutex m_mutex;
    mutable std::condition_variable m_changed;
    std::string m_text;
};

/// Lines in the order they happened.
class Journal {
public:
    void add(std::string line) {
        std::lock_guard const lock(m_mutex);
        m_lines.push_back(std::move(line));
        m_changed.notify_all();
    }
    void name(Pid pid, std::string name) {
        std::lock_guard const lock(m_mutex);
        m_names[pid] = std::move(name);
    }
    [[nodiscard]] std::string name_of(Pid pid) const {
        std::lock_guard const lock(m_mutex);
        auto const found = m_names.find(pid);
        return found != m_names.end() ? found->second : "?";
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::lock_guard const lock(m_mutex);
        return m_lines;
    }
    /// Waits until there are `count` lines, or until patience is over.
    void wait_for(std::size_t count) const {
        std::unique_lock lock(m_mutex);
        (void)m_changed.wait_for(lock, patience, [&] { return m_lines.size() >= count; });
    }
    void clear() {
        std::lock_guard const lock(m_mutex);
        m_lines.clear();
    }

private:
    mutable std::mutex m_mutex;
    mutable std::condition_variable m_changed;
    std::vector<std::string> m_lines;
    std::map<Pid, std::string> m_names;
};

struct Note {
    std::string text;
};
class Probe;
/// Runs a function inside a probe.
struct RunInside {
    using Reply = void;
    std::function<void(Probe&)> function;
};
struct Later {
    std::function<void(Probe&)> function;
};

class Probe : public Server<Probe> {
public:
    struct Options {
        std::string name = {};
        Journal* journal = nullptr;
        bool traps_exit = false;
        bool journals_terminate = false;
        /// Runs in init(); may throw.
        std::function<Result<Start>(Probe&)> on_init = {};
    };
    explicit Probe(Options options)
        : m_options(std::move(options)) {}

    Result<Start> init() {
        m_options.journal->name(self().pid(), m_options.name);
        set_trap_exit(m_options.traps_exit);
        return m_options.on_init ? m_options.on_init(*this) : Start::running;
    }
    void handle_call(RunInside run) { run.function(*this); }
    void handle_cast(Later later) { later.function(*this); }
    void handle_info(Note note) { say(note.text); }
    void handle_info(Exit exit) {
        say("EXIT " + m_options.journal->name_of(exit.from) + " " + exit.reason.to_string());
    }
    void handle_info(Down down) {
        say("DOWN " + m_options.journal->name_of(down.process) + " " + down.reason.to_string());
    }
    void terminate(ExitReason const& reason) {
        if (m_options.journals_terminate) {
            say("terminate " + reason.to_string());
        }
    }
    void say(std::string const& text) { m_options.journal->add(m_options.name + ": " + text); }
    using Server::continue_with;
    using Server::send_after;
    using Server::send_interval;
    using Server::stop;

private:
    Options m_options;
};
using ProbeRef = ServerRef<Probe>;

enum class Mode : std::uint8_t { simulation, threads };

class World {
public:
    explicit World(Mode mode, std::uint64_t seed = 7);
    [[nodiscard]] Node& node() { return m_simulation ? m_simulation->node() : *m_node; }
    /// Until nobody has anything to do now.
    void settle();
    [[nodiscard]] Simulation& simulation() { return *m_simulation; }

private:
    std::unique_ptr<Simulation> m_simulation;
    std::unique_ptr<Node> m_node;
};

/// A world, a journal, and probes in it.
class WorldTest : public ::testing::TestWithParam<Mode> {
protected:
    ProbeRef start(std::string const& name, Probe::Options options = {}) {
        options.name = name;
        options.journal = &journal;
        return world.node().start<Probe>({}, std::move(options)).value();
    }
    ProbeRef start_trapping(std::string const& name) {
        return start(name, Probe::Options{.traps_exit = true});
    }
    /// Runs `function` inside `probe` and waits until all it caused has happened.
    void in(ProbeRef probe, std::function<void(Probe&)> function) {
        (void)call(probe, RunInside{std::move(function)});
        world.settle();
    }
    /// A probe "w" that reports the end of `pid`.
    void watch(Pid pid) {
        ProbeRef const watcher = start("w");
        in(watcher, [pid](Probe&) { monitor(pid); });
    }
    [[nodiscard]] std::vector<std::string> lines() {
        world.settle();
        return journal.lines();
    }
    /// The lines when there are `count`, for what comes from a timer or from outside: until then a world with
    /// threads may look settled.
    [[nodiscard]] std::vector<std::string> lines_once_there_are(std::size_t count) {
        world.settle();
        if (GetParam() == Mode::threads) {
            journal.wait_for(count);
            world.settle();
        }
        return journal.lines();
    }

    Journal journal;
    World world{GetParam()};
};

[[nodiscard]] inline std::string mode_name(::testing::TestParamInfo<Mode> const& info) {
    return info.param == Mode::simulation ? "simulation" : "threads";
}

#define SINEW_IN_BOTH_WORLDS(Fixture)                                                                        \
    INSTANTIATE_TEST_SUITE_P(                                                                                \
        in, Fixture, ::testing::Values(sinew::testing::Mode::simulation, sinew::testing::Mode::threads),     \
        sinew::testing::mode_name)

} // namespace sinew::testing
