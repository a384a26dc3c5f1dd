/// SupervisorServer::State: the children of one supervisor and how they are started, stopped and restarted.
///
/// Invariant: while one of its coroutines waits, the supervisor handles no other message, so the list of
/// children changes only between awaits, by the coroutine itself. Threading: in the supervisor's process.
#pragma once

#include "supervisor/restart_backoff.hpp"
#include "supervisor/restart_limit.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/supervisor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {
namespace detail {

/// Starts the process of `spec`, linked to this one; `on_started` hears of its init().
Pid spawn_child(ChildSpec const& spec, ReplyPath on_started);
/// A child's shutdown time must not be negative.
[[nodiscard]] Result<> check_shutdown(ChildSpec const& spec);
/// "child 'led' <1.7> can't be ended...": it was killed, and kill_limit is over.
[[nodiscard]] std::string left_behind_text(std::string_view id, Pid pid);
/// "gives up: more than 3 restarts within 5000 ms (last: child 'led')"
[[nodiscard]] std::string gives_up_text(unsigned intensity, Duration period, std::string_view last_child);

} // namespace detail

class SupervisorServer::State {
public:
    struct Child {
        ChildSpec spec;
        std::uint64_t key = 0;
        Pid pid = {};
        /// The number of the RetryRestart that it waits for; 0: none. Others are of waits that were given up.
        std::uint64_t wait = 0;
        detail::BackoffState backoff = {};
        [[nodiscard]] bool is_restarting() const noexcept { return wait != 0; }
    };

    explicit State(Supervisor spec);

    [[nodiscard]] Result<> check() const;
    /// Starts all; on a failure those started are stopped again, in reverse.
    Async<Result<>> start_all();
    Async<> stop_all();
    /// A child ended by itself. Returns whether the supervisor gives up.
    Async<bool> child_ended(Exit message);
    /// The child that still waits for this is restarted. Returns whether the supervisor gives up.
    Async<bool> retry(RetryRestart message);

    Async<Result<Pid>> add(ChildSpec spec);
    Async<Result<>> terminate(std::string id);
    Async<Result<Pid>> restart_stopped(std::string id);
    Result<> forget(std::string const& id);

    [[nodiscard]] std::vector<Child> const& children() const noexcept { return m_children; }

private:
    [[nodiscard]] std::size_t position_of(std::string_view id) const noexcept;
    [[nodiscard]] std::size_t position_of(std::uint64_t key) const noexcept;
    [[nodiscard]] std::size_t position_of(Pid pid) const noexcept;
    [[nodiscard]] Result<> check_child(ChildSpec const& spec) const;
    void append(ChildSpec spec);
    void remove(std::size_t at);
    Async<Result<>> start_child(std::size_t at);
    Async<> stop_child(std::size_t at);
    /// Stops the children from `first` on, in reverse; temporary ones are forgotten.
    Async<> stop_from(std::size_t first);
    Async<bool> restart(std::size_t at);
    /// Starts again what a restart of child `key` stopped.
    Async<> start_again(std::uint64_t key);
    /// The children that a restart of the one at `at` concerns, as a range.
    struct Range {
        std::size_t first = 0;
        std::size_t end = 0;
    };
    [[nodiscard]] Range concerned_by(std::size_t at) const noexcept;
    [[nodiscard]] bool ends_with(Child const& child);
    [[nodiscard]] bool has_running_significant_child() const noexcept;

    Supervisor m_spec;
    std::vector<Child> m_children;
    detail::RestartLimit m_limit;
    std::uint64_t m_next_key = 1;
    std::uint64_t m_next_wait = 1;
};

} // namespace sinew
