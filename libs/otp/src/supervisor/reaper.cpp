#include "supervisor/reaper.hpp"

#include "process/signals.hpp"
#include "supervisor/supervisor_state.hpp"

#include <sinew/otp/log.hpp>
#include <sinew/otp/process.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace sinew::detail {

void Reaper::handle_call(EndAll request, Deferred<EndAll> reply) {
    m_parent = request.parent;
    m_children = std::move(request.children);
    m_reply.emplace(std::move(reply));
    Duration longest(-1);
    for (std::size_t at = 0; at < m_children.size(); ++at) {
        EndAll::Child const& child = m_children[at];
        m_alive.insert(monitor(child.pid), at);
        bool const is_brutal = child.shutdown.is_brutal();
        send_exit(child.pid, m_parent, is_brutal ? ExitReason::kill() : ExitReason::shutdown(),
                  ExitCause::request);
        if (!is_brutal && !child.shutdown.is_infinite()) {
            longest = std::max(longest, child.shutdown.time());
        }
    }
    send_after(kill_limit, GiveUp{.is_time_up = false});
    if (longest >= Duration(0)) {
        send_after(longest, TimeIsUp{});
    }
    finish_if_done();
}

void Reaper::handle_info(Down const& message) {
    std::size_t const* const at = m_alive.find(message.monitor);
    if (at == nullptr) {
        return;
    }
    EndAll::Child const& child = m_children[*at];
    bool const is_expected =
        message.reason.is_orderly() || message.reason.kind() == ExitReason::Kind::noproc ||
        (child.shutdown.is_brutal() && message.reason.kind() == ExitReason::Kind::killed);
    if (!is_expected) {
        log::error("child '" + child.id + "' " + child.pid.to_string() +
                   " did not stop in order: " + message.reason.to_string());
    }
    m_alive.erase(message.monitor);
    finish_if_done();
}

void Reaper::handle_info(TimeIsUp /*message*/) {
    for (auto const& [ref, at] : m_alive.entries()) {
        if (!m_children[at].shutdown.is_infinite()) {
            send_exit(m_children[at].pid, m_parent, ExitReason::kill(), ExitCause::request);
        }
    }
    send_after(kill_limit, GiveUp{.is_time_up = true});
}

void Reaper::handle_info(GiveUp message) {
    std::vector<MonitorRef> left_behind;
    for (auto const& [ref, at] : m_alive.entries()) {
        EndAll::Child const& child = m_children[at];
        if (child.shutdown.is_brutal() || (message.is_time_up && !child.shutdown.is_infinite())) {
            left_behind.push_back(ref);
            log::error(left_behind_text(child.id, child.pid));
        }
    }
    for (MonitorRef const ref : left_behind) {
        m_alive.erase(ref);
    }
    finish_if_done();
}

void Reaper::finish_if_done() {
    if (m_reply && m_alive.empty()) {
        m_reply->reply();
        stop();
    }
}

} // namespace sinew::detail
