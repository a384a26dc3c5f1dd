#include "log/report.hpp"
#include "process/signals.hpp"
#include "supervisor/dynamic_supervisor_state.hpp"
#include "supervisor/reaper.hpp"
#include "supervisor/supervisor_state.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/dynamic_supervisor.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/process.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew {
namespace {

/// Stops `pid` as `shutdown` says, then calls `done`.
template<typename F>
void end_child(Pid pid, Shutdown shutdown, F const& done) {
    if (shutdown.is_brutal()) {
        detail::end_process(pid, ExitReason::kill(), Duration::max()).then([done](Result<ExitReason> const&) {
            done();
        });
        return;
    }
    detail::end_process(pid, ExitReason::shutdown(), shutdown.time())
        .then([done, pid](Result<ExitReason> const& ended) {
            if (ended) {
                done();
            } else {
                end_child(pid, Shutdown::brutal(), done);
            }
        });
}

} // namespace

void DynamicSupervisor::State::start(ChildSpec spec, Deferred<StartChild> reply) {
    if (spec.blueprint == nullptr) {
        reply.reply(
            failure(ErrorCode::invalid_argument, "there is nothing to start; make it with child<S>()"));
    } else if (auto checked = detail::check_shutdown(spec); !checked) {
        reply.reply(std::unexpected(std::move(checked).error()));
    } else if (spec.is_significant) {
        reply.reply(
            failure(ErrorCode::invalid_argument, "child '" + spec.id +
                                                     "' is significant, but a dynamic supervisor never shuts "
                                                     "down by itself"));
    } else if (size() >= m_options.max_children) {
        reply.reply(failure(ErrorCode::no_space, "child '" + spec.id + "': max_children, " +
                                                     std::to_string(m_options.max_children) +
                                                     ", are running already"));
    } else {
        launch(Child{.spec = detail::make_shared_in_block<ChildSpec const>(std::move(spec)),
                     .number = m_next_key++},
               std::move(reply));
    }
}

void DynamicSupervisor::State::launch(Child child, std::optional<Deferred<StartChild>> reply) {
    child.is_starting = true;
    child.backoff.started(now());
    std::shared_ptr<ChildSpec const> const spec = child.spec;
    auto const shared_pid = detail::make_shared_in_block<Pid>();
    detail::ReplyPath path = detail::continue_with_answer<Pid>(
        detail::RequestLabel{.target = {}, .target_type = spec->blueprint->behaviour().type},
        [this, shared_pid, reply = std::move(reply)](Result<Pid> result) mutable {
            started(*shared_pid, std::move(result), std::move(reply));
        });
    *shared_pid = detail::spawn_child(*spec, std::move(path));
    m_children.insert(*shared_pid, std::move(child));
}

void DynamicSupervisor::State::started(Pid pid, Result<Pid> result,
                                       std::optional<Deferred<StartChild>> reply) {
    Child* const child = m_children.find(pid);
    if (child == nullptr) {
        return;
    }
    if (result && *result) {
        child->is_starting = false;
        if (reply) {
            reply->reply(pid);
        }
        return;
    }
    Child gone = std::move(*child);
    m_children.erase(pid);
    if (reply) {
        std::string const context = "child '" + gone.spec->id + "'";
        reply->reply(result ? Result<Pid>(Pid())
                            : std::unexpected(std::move(result).error().with_context(context)));
    } else if (!result && !gone.is_stopping) {
        restart_failed(std::move(gone), result.error());
    }
}

void DynamicSupervisor::State::restart_failed(Child child, Error const& error) {
    log::error("child '" + child.spec->id + "': " + error.message() + "; tried again");
    wait_to_restart(std::move(child), Duration(0));
}

void DynamicSupervisor::State::terminate(Pid pid, Deferred<TerminatePid> reply) {
    Child* const child = m_children.find(pid);
    if (child == nullptr) {
        reply.reply(failure(ErrorCode::not_found, "there is no child " + pid.to_string()));
        return;
    }
    child->is_stopping = true;
    auto const shared_reply = detail::make_shared_in_block<Deferred<TerminatePid>>(std::move(reply));
    end_child(pid, child->spec->shutdown, [this, pid, shared_reply] {
        m_children.erase(pid);
        unlink(pid, Flush::yes);
        shared_reply->reply({});
    });
}

bool DynamicSupervisor::State::child_ended(Exit const& message) {
    Child* const found = message.from ? m_children.find(message.from) : nullptr;
    if (found == nullptr) {
        log::notice("dropped an Exit message of " + message.from.to_string() + ", which is no child");
        return false;
    }
    Child child = std::move(*found);
    m_children.erase(message.from);
    if (child.is_stopping) {
        return false;
    }
    bool const is_orderly = message.reason.is_orderly();
    Restart const kind = child.spec->restart;
    bool const is_restarted = kind == Restart::permanent || (kind == Restart::transient && !is_orderly);
    if (!is_orderly || is_restarted) {
        detail::report_child_end(*child.spec, message.from, message.reason, is_restarted);
    }
    return is_restarted && restart(std::move(child));
}

bool DynamicSupervisor::State::restart(Child child) {
    if (!m_limit.add(now())) {
        log::error(detail::gives_up_text(m_options.intensity, m_options.period, child.spec->id));
        return true;
    }
    Duration const wait = child.backoff.next_wait(m_options.backoff, now());
    if (wait > Duration(0)) {
        child.is_counted = true;
        wait_to_restart(std::move(child), wait);
    } else {
        launch(std::move(child), std::nullopt);
    }
    return false;
}

void DynamicSupervisor::State::wait_to_restart(Child child, Duration delay) {
    std::uint64_t const key = child.number;
    m_restarting.insert_or_assign(key, std::move(child));
    detail::send_self_later<DynamicSupervisor>(delay, RetryRestart{key});
}

bool DynamicSupervisor::State::retry(std::uint64_t key) {
    auto const found = m_restarting.find(key);
    if (found == m_restarting.end()) {
        return false;
    }
    Child child = std::move(found->second);
    m_restarting.erase(found);
    if (!std::exchange(child.is_counted, false)) {
        return restart(std::move(child));
    }
    launch(std::move(child), std::nullopt);
    return false;
}

Async<> DynamicSupervisor::State::stop_all() {
    detail::EndAll all{.parent = sinew::self(), .children = {}};
    for (auto const& [pid, child] : m_children.entries()) {
        all.children.push_back({pid, child.spec->shutdown, child.spec->id});
    }
    if (all.children.empty()) {
        co_return;
    }
    ServerRef<detail::Reaper> const reaper = spawn<detail::Reaper>();
    auto ending = request(reaper, std::move(all), Duration::max());
    auto const ended = co_await ending;
    if (!ended) {
        log::error("the children could not be stopped: " + ended.error().message());
    }
}

std::vector<ChildInfo> DynamicSupervisor::State::which() const {
    std::vector<std::pair<std::uint64_t, ChildInfo>> numbered;
    numbered.reserve(size());
    for (auto const& [pid, child] : m_children.entries()) {
        numbered.emplace_back(child.number, ChildInfo{child.spec->id, pid, ChildInfo::State::running,
                                                      child.spec->is_supervisor});
    }
    for (auto const& [key, child] : m_restarting) {
        numbered.emplace_back(
            key, ChildInfo{child.spec->id, Pid(), ChildInfo::State::restarting, child.spec->is_supervisor});
    }
    std::ranges::sort(numbered, std::ranges::greater{}, [](auto const& entry) { return entry.first; });
    std::vector<ChildInfo> result;
    result.reserve(numbered.size());
    for (auto& [number, info] : numbered) {
        result.push_back(std::move(info));
    }
    return result;
}

ChildCounts DynamicSupervisor::State::count() const {
    ChildCounts counts{.specs = size(), .active = m_children.size(), .supervisors = 0, .workers = 0};
    for (auto const& [pid, child] : m_children.entries()) {
        ++(child.spec->is_supervisor ? counts.supervisors : counts.workers);
    }
    for (auto const& [key, child] : m_restarting) {
        ++(child.spec->is_supervisor ? counts.supervisors : counts.workers);
    }
    return counts;
}

DynamicSupervisor::DynamicSupervisor(Options options)
    : m_state(std::make_unique<State>(options)) {}
DynamicSupervisor::~DynamicSupervisor() = default;

Result<> DynamicSupervisor::init() {
    set_trap_exit(true);
    if (m_state->options().period <= Duration(0)) {
        return failure(ErrorCode::invalid_argument, "a supervisor's period must be longer than zero");
    }
    return {};
}

void DynamicSupervisor::handle_call(StartChild request, Deferred<StartChild> reply) {
    m_state->start(std::move(request.spec), std::move(reply));
}

void DynamicSupervisor::handle_call(TerminatePid request, Deferred<TerminatePid> reply) {
    m_state->terminate(request.pid, std::move(reply));
}

std::vector<ChildInfo> DynamicSupervisor::handle_call(WhichChildren /*request*/) {
    return m_state->which();
}

ChildCounts DynamicSupervisor::handle_call(CountChildren /*request*/) {
    return m_state->count();
}

void DynamicSupervisor::handle_info(Exit const& message) {
    if (m_state->child_ended(message)) {
        stop(ExitReason::shutdown());
    }
}

void DynamicSupervisor::handle_info(RetryRestart message) {
    if (m_state->retry(message.child_key)) {
        stop(ExitReason::shutdown());
    }
}

Async<> DynamicSupervisor::terminate(ExitReason const& /*reason*/) {
    return m_state->stop_all();
}

} // namespace sinew
