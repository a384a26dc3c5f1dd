/// Applications: several applications of one node: what needs what, started in order, stopped in reverse.
///
///     Applications applications(node, config);
///     (void)applications.add({.name = "network", .application = std::make_shared<Network>()});
///     (void)applications.add({.name = "hub", .application = std::make_shared<Hub>(), .needs = {"network"}});
///     auto started = applications.ensure_all_started("hub");             // {"network", "hub"}
///
/// A program with one application needs none of this: run_application() does it.
/// Invariant: an application starts only when all it needs run; when a start fails, what was started for it
/// is stopped again, in reverse. When a tree ends by itself, its application's type says what follows:
/// temporary: it is reported; transient: an end out of order is fatal; permanent: any end is. An exception of
/// an Application's function is an Error here, with its text; on the way down it is logged as well, and the
/// rest is stopped all the same.
/// Threading: one thread, outside the scheduler, makes it and calls start and stop (they block). The
/// functions of an Application run on that thread only: the stop() of one whose tree ended by itself at the
/// next call of start, stop or stop_all. on_fatal_end is called on a scheduler thread and may not wait.
#pragma once

#include <sinew/base/detail/std_function.hpp>
#include <sinew/otp/application.hpp>
#include <sinew/otp/node.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {

/// What the end of an application means; see the top of the file.
enum class ApplicationType : std::uint8_t { permanent, transient, temporary };

class Applications {
public:
    /// Hears which application ended, and why.
    using OnFatalEnd = std::function<void(std::string const& name, ExitReason const& reason)>;
    /// `on_fatal_end` hears of the end of a permanent or transient application that means the node's: it lets
    /// the main thread call stop_all().
    Applications(Node& node, Config config, OnFatalEnd on_fatal_end = {});
    /// stop_all()
    ~Applications();
    Applications(Applications const&) = delete;
    Applications& operator=(Applications const&) = delete;
    Applications(Applications&&) = delete;
    Applications& operator=(Applications&&) = delete;

    /// Makes it known. Errors: exists; invalid_argument: no name, or no application.
    Result<> add(ApplicationSpec spec);
    /// Starts it. Errors: not_found: it is unknown; unavailable: one that it needs doesn't run (named), its
    /// tree or a start phase failed or threw; invalid_argument: start() threw a ConfigError; exists: it runs.
    Result<> start(std::string_view name, ApplicationType type = ApplicationType::temporary);
    /// Starts all it needs, then it. Returns those it started, in order. The same errors; not_found also for
    /// a needed one that is unknown (named), invalid_argument for a circle.
    [[nodiscard]] Result<std::vector<std::string>>
    ensure_all_started(std::string_view name, ApplicationType type = ApplicationType::temporary);
    /// prepare_stop(), the whole tree in reverse, stop(). Errors: not_found: it doesn't run; unavailable: the
    /// tree did not end in order.
    Result<> stop(std::string_view name);
    /// All, in the reverse order of their starts. The first error; the rest is stopped all the same.
    Result<> stop_all();
    /// In the order they were started.
    [[nodiscard]] std::vector<std::string> running() const;
    /// Its top supervisor. Error not_found: it doesn't run.
    [[nodiscard]] Result<SupervisorRef> tree(std::string_view name) const;
    /// Takes all off the list and stops nothing: for a node that is thrown away as a whole, as a test's.
    void forget() noexcept;

private:
    class State;
    std::shared_ptr<State> m_state;
};

} // namespace sinew
