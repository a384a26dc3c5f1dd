/// Reaper: a process that ends many others at once, under one timer, for a supervisor that stops.
///
/// Invariant: it answers when all have ended, and then ends itself. Threading: a process.
#pragma once

#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/server.hpp>
#include <sinew/otp/supervisor.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sinew::detail {

/// Asks each to stop (or kills it at once), and kills those that haven't ended when the longest finite
/// shutdown time is over. A child with Shutdown::infinity() is waited for; one that can't be killed isn't.
struct EndAll {
    using Reply = void;
    struct Child {
        Pid pid;
        Shutdown shutdown;
        std::string id;
    };
    /// The exit signals come from this process.
    Pid parent;
    std::vector<Child> children;
};

class Reaper final : public Server<Reaper> {
public:
    struct TimeIsUp {};
    /// Those that were killed are left behind.
    struct GiveUp {
        /// All but those that are waited for; else only the brutal ones.
        bool is_time_up = false;
    };
    void handle_call(EndAll request, Deferred<EndAll> reply);
    void handle_info(Down const& message);
    void handle_info(TimeIsUp message);
    void handle_info(GiveUp message);

private:
    void finish_if_done();
    Pid m_parent;
    std::vector<EndAll::Child> m_children;
    /// Monitors of those alive: which child.
    FlatTable<MonitorRef, std::size_t> m_alive;
    std::optional<Deferred<EndAll>> m_reply;
};

} // namespace sinew::detail
