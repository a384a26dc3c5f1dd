/// SupervisorServer::State: the children of one supervisor and how they are started, stopped and restarted.
///
/// Invariant: while one of its coroutines waits, the supervisor handles no other message, so the list of
/// children changes only between awaits, by the coroutine itself. Threading: in the supervisor's process.
#pragma once

#include "restart_limit.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/supervisor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {

class SupervisorServer::State {
public:
    struct Child {
        ChildSpec spec;
        std::uint64_t key = 0;
        Pid pid;
        bool is_restarting = false;
    };

    explicit State(Supervisor spec);

    [[nodiscard]] Result<> check() const;
    /// Starts all; on a failure those started are stopped again, in reverse.
    Async<Result<>> start_all();
    Async<> stop_all();
    /// A child ended by itself. Returns whether the supervisor gives up.
    Async<bool> child_ended(Exit message);
    /// Tries a failed restart again. Returns whether the supervisor gives up.
    Async<bool> retry(std::uint64_t key);

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
    [[nodiscard]] bool ends_with(Child const& child);
    [[nodiscard]] bool has_running_significant_child() const noexcept;

    Supervisor m_spec;
    std::vector<Child> m_children;
    detail::RestartLimit m_limit;
    std::uint64_t m_next_key = 1;
};

} // namespace sinew
