#include "supervisor/supervisor_state.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/supervisor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew {
namespace detail {

ChildSpec make_child_spec(std::shared_ptr<Blueprint const> blueprint, std::size_t type_slot,
                          ChildOptions options) {
    ChildSpec spec;
    spec.is_supervisor = blueprint->behaviour().is_supervisor;
    spec.restart = options.restart;
    spec.is_significant = options.is_significant;
    spec.shutdown = options.shutdown.value_or(spec.is_supervisor ? Shutdown::infinity()
                                                                 : Shutdown::after(std::chrono::seconds(5)));
    if (options.is_registered && options.id.empty()) {
        spec.type_slot = type_slot;
    } else if (options.is_registered) {
        spec.registered_name = options.id;
    }
    spec.via = std::move(options.via);
    spec.id = options.id.empty() ? readable_type_name(*blueprint->behaviour().type) : std::move(options.id);
    spec.blueprint = std::move(blueprint);
    return spec;
}

} // namespace detail

ChildSpec child(Supervisor subtree, ChildOptions child_options) {
    bool const has_id = !child_options.id.empty();
    ChildSpec spec = detail::make_child_spec(
        std::make_shared<detail::ServerBlueprint<SupervisorServer, Supervisor>>(std::move(subtree)),
        detail::no_type_slot, std::move(child_options));
    if (!has_id) {
        spec.id.clear();
    }
    return spec;
}

SupervisorServer::SupervisorServer(Supervisor spec)
    : m_state(std::make_unique<State>(std::move(spec))) {}
SupervisorServer::~SupervisorServer() = default;

Async<Result<>> SupervisorServer::init() {
    set_trap_exit(true);
    Result<> checked = m_state->check();
    if (!checked) {
        co_return checked;
    }
    Async<Result<>> const start = m_state->start_all();
    Result<> started = co_await start;
    co_return started;
}

std::vector<ChildInfo> SupervisorServer::handle_call(WhichChildren /*request*/) {
    std::vector<ChildInfo> result;
    for (auto child = m_state->children().rbegin(); child != m_state->children().rend(); ++child) {
        ChildInfo::State const state = child->pid               ? ChildInfo::State::running
                                       : child->is_restarting() ? ChildInfo::State::restarting
                                                                : ChildInfo::State::stopped;
        result.push_back({child->spec.id, child->pid, state, child->spec.is_supervisor});
    }
    return result;
}

ChildCounts SupervisorServer::handle_call(CountChildren /*request*/) {
    ChildCounts counts;
    for (State::Child const& child : m_state->children()) {
        ++counts.specs;
        counts.active += child.pid ? 1 : 0;
        ++(child.spec.is_supervisor ? counts.supervisors : counts.workers);
    }
    return counts;
}

Async<Result<Pid>> SupervisorServer::handle_call(StartChild request) {
    return m_state->add(std::move(request.spec));
}

Async<Result<>> SupervisorServer::handle_call(TerminateChild request) {
    return m_state->terminate(std::move(request.id));
}

Async<Result<Pid>> SupervisorServer::handle_call(RestartChild request) {
    return m_state->restart_stopped(std::move(request.id));
}

Result<> SupervisorServer::handle_call(DeleteChild const& request) {
    return m_state->forget(request.id);
}

Async<> SupervisorServer::handle_info(Exit message) {
    Async<bool> const ended = m_state->child_ended(std::move(message));
    bool const gives_up = co_await ended;
    if (gives_up) {
        stop(ExitReason::shutdown());
    }
}

Async<> SupervisorServer::handle_info(RetryRestart message) {
    Async<bool> const retried = m_state->retry(message);
    bool const gives_up = co_await retried;
    if (gives_up) {
        stop(ExitReason::shutdown());
    }
}

Async<> SupervisorServer::terminate(ExitReason const& /*reason*/) {
    return m_state->stop_all();
}

} // namespace sinew
