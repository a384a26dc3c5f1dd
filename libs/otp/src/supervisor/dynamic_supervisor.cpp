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
#include <string>
#include <utility>
#include <vector>

namespace sinew {
namespace {

/// Stops `pid` as `shutdown` says, then calls `done`: whether it has ended.
template<typename F>
void end_child(Pid pid, Shutdown shutdown, F const& done) {
    if (shutdown.is_brutal()) {
        detail::end_process(pid, ExitReason::kill(), detail::kill_limit)
            .then([done](Result<ExitReason> const& ended) { done(ended.has_value()); });
        return;
    }
    detail::end_process(pid, ExitReason::shutdown(), shutdown.time())
        .then([done, pid](Result<ExitReason> const& ended) {
            if (ended) {
                done(true);
            } else {
                end_child(pid, Shutdown::brutal(), done);
            }
        });
}

detail::RequestLabel start_label(ChildSpec const& spec) {
    return {.target = {}, .target_type = spec.blueprint->behaviour().type};
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
        launch(std::move(spec), std::move(reply));
    }
}

void DynamicSupervisor::State::launch(ChildSpec spec, Deferred<StartChild> reply) {
    Child child{.spec = detail::make_shared_in_block<ChildSpec const>(std::move(spec)),
                .number = m_next_number++};
    child.backoff.started(now());
    auto const shared_pid = detail::make_shared_in_block<Pid>();
    detail::ReplyPath path = detail::continue_with_answer<Pid>(
        start_label(*child.spec), [this, shared_pid, reply = std::move(reply)](Result<Pid> result) mutable {
            started(*shared_pid, std::move(result), std::move(reply));
        });
    *shared_pid = detail::spawn_child(*child.spec, std::move(path));
    m_children.insert(*shared_pid, std::move(child));
}

void DynamicSupervisor::State::started(Pid pid, Result<Pid> result, Deferred<StartChild> reply) {
    Child const* const child = m_children.find(pid);
    if (child == nullptr) {
        return;
    }
    if (result && *result) {
        reply.reply(pid);
        return;
    }
    std::string const context = "child '" + child->spec->id + "'";
    m_children.erase(pid);
    reply.reply(result ? Result<Pid>(Pid())
                       : std::unexpected(std::move(result).error().with_context(context)));
}

void DynamicSupervisor::State::terminate(Pid pid, Deferred<TerminatePid> reply) {
    if (Child* const running = m_children.find(pid)) {
        end(pid, pid, *running, std::move(reply));
        return;
    }
    Pid const* const tried = m_attempts.find(pid);
    Pid const former = tried != nullptr ? *tried : pid;
    Child* const restarting = m_restarting.find(former);
    if (restarting == nullptr) {
        reply.reply(failure(ErrorCode::not_found, "there is no child " + pid.to_string()));
    } else if (restarting->attempt) {
        end(restarting->attempt, former, *restarting, std::move(reply));
    } else {
        m_restarting.erase(former);
        reply.reply({});
    }
}

void DynamicSupervisor::State::end(Pid process, Pid former, Child& child, Deferred<TerminatePid> reply) {
    child.is_stopping = true;
    auto const shared_reply = detail::make_shared_in_block<Deferred<TerminatePid>>(std::move(reply));
    end_child(process, child.spec->shutdown,
              [this, process, former, shared_reply, spec = child.spec](bool has_ended) {
                  if (!has_ended) {
                      log::error(detail::left_behind_text(spec->id, process));
                  }
                  m_children.erase(process);
                  m_attempts.erase(process);
                  m_restarting.erase(former);
                  unlink(process, Flush::yes);
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
    if (!is_restarted) {
        return false;
    }
    m_restarting.insert(message.from, std::move(child));
    return restart(message.from);
}

bool DynamicSupervisor::State::restart(Pid former) {
    Child& child = *m_restarting.find(former);
    if (!m_limit.add(now())) {
        log::error(detail::gives_up_text(m_options.intensity, m_options.period, child.spec->id));
        return true;
    }
    Duration const wait = child.backoff.next_wait(m_options.backoff, now());
    if (wait > Duration(0)) {
        child.is_counted = true;
        detail::send_self_later<DynamicSupervisor>(wait, RetryRestart{former});
    } else {
        start_again(former);
    }
    return false;
}

void DynamicSupervisor::State::start_again(Pid former) {
    Child& child = *m_restarting.find(former);
    child.backoff.started(now());
    detail::ReplyPath path =
        detail::continue_with_answer<Pid>(start_label(*child.spec), [this, former](Result<Pid> result) {
            started_again(former, std::move(result));
        });
    child.attempt = detail::spawn_child(*child.spec, std::move(path));
    m_attempts.insert(child.attempt, former);
}

void DynamicSupervisor::State::started_again(Pid former, Result<Pid> result) {
    Child* const child = m_restarting.find(former);
    if (child == nullptr) {
        return;
    }
    Pid const pid = std::exchange(child->attempt, Pid());
    m_attempts.erase(pid);
    if (!result && !child->is_stopping) {
        log::error("child '" + child->spec->id + "': " + result.error().message() + "; tried again");
        detail::send_self_later<DynamicSupervisor>(Duration(0), RetryRestart{former});
        return;
    }
    if (result && *result) {
        m_children.insert(pid, std::move(*child));
    }
    m_restarting.erase(former);
}

bool DynamicSupervisor::State::retry(Pid former) {
    Child* const child = m_restarting.find(former);
    if (child == nullptr) {
        return false;
    }
    if (!std::exchange(child->is_counted, false)) {
        return restart(former);
    }
    start_again(former);
    return false;
}

Async<> DynamicSupervisor::State::stop_all() {
    detail::EndAll all{.parent = sinew::self(), .children = {}};
    for (auto const& [pid, child] : m_children.entries()) {
        all.children.push_back({pid, child.spec->shutdown, child.spec->id});
    }
    for (auto const& [pid, former] : m_attempts.entries()) {
        ChildSpec const& spec = *m_restarting.find(former)->spec;
        all.children.push_back({pid, spec.shutdown, spec.id});
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
    for (auto const& [former, child] : m_restarting.entries()) {
        numbered.emplace_back(child.number, ChildInfo{child.spec->id, Pid(), ChildInfo::State::restarting,
                                                      child.spec->is_supervisor});
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
    for (auto const& [former, child] : m_restarting.entries()) {
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
    if (m_state->retry(message.child)) {
        stop(ExitReason::shutdown());
    }
}

Async<> DynamicSupervisor::terminate(ExitReason const& /*reason*/) {
    return m_state->stop_all();
}

} // namespace sinew
