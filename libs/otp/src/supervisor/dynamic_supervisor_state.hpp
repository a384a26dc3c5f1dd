/// DynamicSupervisor::State: the children of one dynamic supervisor.
///
/// Invariant: every child that runs, or whose init() runs, is in m_children under its Pid; one that waits for
/// its next restart is in m_restarting under its key. Threading: in the supervisor's process.
#pragma once

#include "core/flat_table.hpp"
#include "supervisor/restart_backoff.hpp"
#include "supervisor/restart_limit.hpp"

#include <sinew/otp/dynamic_supervisor.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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
    [[nodiscard]] bool retry(std::uint64_t key);
    Async<> stop_all();
    [[nodiscard]] std::vector<ChildInfo> which() const;
    [[nodiscard]] ChildCounts count() const;

private:
    struct Child {
        std::shared_ptr<ChildSpec const> spec;
        /// Orders children by age; also names one that has no process.
        std::uint64_t number = 0;
        detail::BackoffState backoff = {};
        bool is_starting = true;
        /// It was told to stop: it is not restarted.
        bool is_stopping = false;
        /// The restart that it waits for was counted.
        bool is_counted = false;
    };
    [[nodiscard]] std::size_t size() const noexcept { return m_children.size() + m_restarting.size(); }
    /// Starts the process; `reply` hears of its init(), unless it is a restart.
    void launch(Child child, std::optional<Deferred<StartChild>> reply);
    void started(Pid pid, Result<Pid> result, std::optional<Deferred<StartChild>> reply);
    void restart_failed(Child child, Error const& error);
    [[nodiscard]] bool restart(Child child);
    void wait_to_restart(Child child, Duration delay);

    Options m_options;
    detail::RestartLimit m_limit;
    detail::FlatTable<Pid, Child> m_children;
    std::map<std::uint64_t, Child> m_restarting;
    std::uint64_t m_next_key = 1;
};

} // namespace sinew
