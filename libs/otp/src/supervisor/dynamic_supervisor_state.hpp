/// DynamicSupervisor::State: the children of one dynamic supervisor.
///
/// Invariant: every child that runs, or whose first init() runs, is in m_children under its Pid; from its end
/// until it runs again it is in m_restarting under the Pid that it had, whether it waits or its init() runs.
/// Threading: in the supervisor's process.
#pragma once

#include "supervisor/restart_backoff.hpp"
#include "supervisor/restart_limit.hpp"

#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/dynamic_supervisor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sinew {

class DynamicSupervisor::State {
public:
    explicit State(Options options)
        : m_options(options)
        , m_limit(options.intensity, options.period) {}

    [[nodiscard]] Options const& options() const noexcept { return m_options; }
    void start(ChildSpec spec, Deferred<StartChild> reply);
    void terminate(Pid pid, Deferred<TerminatePid> reply);
    /// A child ended. Returns whether the supervisor gives up.
    [[nodiscard]] bool child_ended(Exit const& message);
    /// The time of a restart that had to wait has come. Returns whether the supervisor gives up.
    [[nodiscard]] bool retry(Pid former);
    Async<> stop_all();
    [[nodiscard]] std::vector<ChildInfo> which() const;
    [[nodiscard]] ChildCounts count() const;

private:
    struct Child {
        std::shared_ptr<ChildSpec const> spec;
        /// Orders children by age.
        std::uint64_t number = 0;
        detail::BackoffState backoff = {};
        /// In m_restarting: the process whose init() runs, if any.
        Pid attempt = {};
        /// It was told to stop: it is not restarted.
        bool is_stopping = false;
        /// The restart that it waits for was counted.
        bool is_counted = false;
    };
    [[nodiscard]] std::size_t size() const noexcept { return m_children.size() + m_restarting.size(); }
    void launch(ChildSpec spec, Deferred<StartChild> reply);
    void started(Pid pid, Result<Pid> result, Deferred<StartChild> reply);
    /// The child that ran as `former`: counts a restart, and makes it now or later. Returns whether the
    /// supervisor gives up.
    [[nodiscard]] bool restart(Pid former);
    void start_again(Pid former);
    void started_again(Pid former, Result<Pid> result);
    /// Ends `process` and forgets the child.
    void end(Pid process, Pid former, Child& child, Deferred<TerminatePid> reply);

    Options m_options;
    detail::RestartLimit m_limit;
    detail::FlatTable<Pid, Child> m_children;
    detail::FlatTable<Pid, Child> m_restarting;
    /// By Child::attempt: the key in m_restarting.
    detail::FlatTable<Pid, Pid> m_attempts;
    std::uint64_t m_next_number = 1;
};

} // namespace sinew
