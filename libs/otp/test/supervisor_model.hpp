/// Random supervision trees, and a model of what OTP's rules say they do.
///
/// Threading: a simulation's thread.
#pragma once

#include "supervisor/restart_limit.hpp"

#include <sinew/otp.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::testing {

using Lines = std::vector<std::string>;

struct Crash {};
struct Finish {};

/// What a start does.
enum class Outcome : std::uint8_t { up, ignored, failed };
/// The first start of a leaf is always good; what the others do is the seed's choice.
inline Outcome outcome_of(std::uint64_t seed, std::size_t start) {
    if (start == 0) {
        return Outcome::up;
    }
    std::mt19937_64 random(seed + start);
    std::uint64_t const drawn = random() % 8;
    return drawn == 0 ? Outcome::ignored : drawn <= 2 ? Outcome::failed : Outcome::up;
}
inline std::string line_of(Outcome outcome, std::string const& name) {
    switch (outcome) {
    case Outcome::up:
        return "up " + name;
    case Outcome::ignored:
        return "ignores " + name;
    case Outcome::failed:
        break;
    }
    return "fails " + name;
}

class Leaf : public Server<Leaf> {
public:
    struct Options {
        std::string name = {};
        Lines* lines = nullptr;
        std::uint64_t seed = 0;
        /// So many before this one.
        std::shared_ptr<std::size_t> starts = {};
    };
    explicit Leaf(Options options)
        : m_options(std::move(options)) {}
    Result<Start> init() {
        set_trap_exit(true);
        Outcome const outcome =
            m_options.starts ? outcome_of(m_options.seed, (*m_options.starts)++) : Outcome::up;
        m_options.lines->push_back(line_of(outcome, m_options.name));
        if (outcome == Outcome::failed) {
            return failure(ErrorCode::unavailable, "not yet");
        }
        return outcome == Outcome::ignored ? Start::ignore : Start::running;
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
        bool is_significant = false;
        std::shared_ptr<Model> subtree = nullptr;
        /// Of a leaf: see outcome_of().
        std::uint64_t seed = 0;
        std::shared_ptr<std::size_t> starts = std::make_shared<std::size_t>(0);
        bool is_running = false;
    };
    SupervisorOptions options;
    std::vector<Child> specs;
    std::vector<Child> children;
    std::optional<detail::RestartLimit> limit;

    [[nodiscard]] Supervisor to_spec(Lines* lines) const {
        Supervisor spec{options, {}};
        for (Child const& one : specs) {
            ChildOptions const place{
                .id = one.id, .restart = one.restart, .is_significant = one.is_significant};
            spec.children.push_back(one.subtree ? child(one.subtree->to_spec(lines), place)
                                                : child<Leaf>({.name = one.id,
                                                               .lines = lines,
                                                               .seed = one.seed,
                                                               .starts = std::make_shared<std::size_t>(0)},
                                                              place));
        }
        return spec;
    }
    /// False: one of them failed, and the others are stopped.
    bool start_all(Lines& lines) {
        children = specs;
        limit.emplace(options.intensity, options.period);
        for (std::size_t at = 0; at < children.size(); ++at) {
            Outcome const outcome = start(children[at], lines);
            if (outcome == Outcome::failed) {
                stop_from(0, lines);
                return false;
            }
            if (outcome == Outcome::ignored && children[at].restart == Restart::temporary) {
                children.erase(children.begin() + static_cast<std::ptrdiff_t>(at--));
            }
        }
        return true;
    }
    static Outcome start(Child& one, Lines& lines) {
        Outcome outcome = Outcome::up;
        if (one.subtree) {
            outcome = one.subtree->start_all(lines) ? Outcome::up : Outcome::failed;
        } else {
            outcome = outcome_of(one.seed, (*one.starts)++);
            lines.push_back(line_of(outcome, one.id));
        }
        one.is_running = outcome == Outcome::up;
        return outcome;
    }
    void stop(Child& one, Lines& lines) {
        if (std::exchange(one.is_running, false)) {
            if (one.subtree) {
                one.subtree->stop_from(0, lines);
            } else {
                lines.push_back("down " + one.id);
            }
        }
    }
    void stop_from(std::size_t first, Lines& lines) {
        for (std::size_t at = children.size(); at-- > first;) {
            stop(children[at], lines);
            remove_if_temporary(at);
        }
    }
    void remove_if_temporary(std::size_t at) {
        if (children[at].restart == Restart::temporary) {
            children.erase(children.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
    /// Asked for by TerminateChild.
    void terminate(std::size_t at, Lines& lines) {
        stop(children[at], lines);
        remove_if_temporary(at);
    }
    /// Whether the end of this one, which is not restarted, ends the supervisor.
    [[nodiscard]] bool ends_with(Child const& one) const {
        auto const is_up = [](Child const& other) { return other.is_significant && other.is_running; };
        return one.is_significant && (options.auto_shutdown == AutoShutdown::any_significant ||
                                      std::ranges::none_of(children, is_up));
    }
    /// A child ended. True: this supervisor ends.
    bool ended(std::size_t at, bool is_orderly, MonotonicTime now, Lines& lines) {
        children[at].is_running = false;
        Restart const restart = children[at].restart;
        if (restart == Restart::temporary || (restart == Restart::transient && is_orderly)) {
            bool const is_over = ends_with(children[at]);
            remove_if_temporary(at);
            return is_over;
        }
        // A start that fails is a reason to restart, too.
        for (std::optional<std::size_t> failed = at; failed; failed = start_again(*failed, lines)) {
            if (!limit->add(now)) {
                return true;
            }
        }
        return false;
    }
    /// Returns the one that failed.
    std::optional<std::size_t> start_again(std::size_t at, Lines& lines) {
        if (options.strategy == Strategy::one_for_one) {
            return start(children[at], lines) == Outcome::failed ? std::optional(at) : std::nullopt;
        }
        std::size_t const first = options.strategy == Strategy::one_for_all ? 0 : at;
        stop_from(first, lines);
        for (std::size_t next = first; next < children.size(); ++next) {
            if (start(children[next], lines) == Outcome::failed) {
                return next;
            }
        }
        return std::nullopt;
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
        model->options.auto_shutdown = static_cast<AutoShutdown>(pick(3));
        std::size_t const count = 1 + pick(4);
        for (std::size_t i = 0; i < count; ++i) {
            Model::Child one{.id = "n" + std::to_string(m_next++), .restart = static_cast<Restart>(pick(3))};
            one.seed = m_random();
            one.is_significant = one.restart != Restart::permanent &&
                                 model->options.auto_shutdown != AutoShutdown::never && pick(4) == 0;
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

} // namespace sinew::testing
