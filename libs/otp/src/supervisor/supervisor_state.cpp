#include "supervisor/supervisor_state.hpp"

#include "log/report.hpp"
#include "process/signals.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/supervisor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew {
namespace detail {

Pid spawn_child(ChildSpec const& spec, ReplyPath on_started) {
    SpawnOptions options;
    options.type_slot = spec.type_slot;
    options.name = spec.registered_name;
    options.via = spec.via;
    options.is_linked = true;
    options.on_started = std::move(on_started);
    return spawn_process(current_node(), spec.blueprint, std::move(options));
}

Result<> check_shutdown(ChildSpec const& spec) {
    if (spec.shutdown.is_valid()) {
        return {};
    }
    return failure(ErrorCode::invalid_argument,
                   "child '" + spec.id +
                       "' has a negative shutdown time; Shutdown::brutal() kills "
                       "at once");
}

std::string left_behind_text(std::string_view id, Pid pid) {
    return "child '" + std::string(id) + "' " + pid.to_string() +
           " can't be ended: its handler doesn't return; going on without it";
}

std::string gives_up_text(unsigned intensity, Duration period, std::string_view last_child) {
    return "gives up: more than " + std::to_string(intensity) + " restarts within " +
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(period).count()) +
           " ms (last: child '" + std::string(last_child) + "')";
}

} // namespace detail

namespace {

/// The Pid of the started child (empty: ignore), or why it failed.
Request<Pid> request_start(ChildSpec const& spec) {
    return Request<Pid>(detail::custom_request(
        [&spec](detail::ReplyPath path) { (void)detail::spawn_child(spec, std::move(path)); },
        detail::RequestLabel{.target = {}, .target_type = spec.blueprint->behaviour().type}, std::nullopt));
}

std::string text_of(ChildSpec const& spec, Pid pid) {
    return "child '" + spec.id + "' " + (pid ? pid.to_string() : std::string("(not running)"));
}

std::unexpected<Error> no_such_child(std::string const& id) {
    return failure(ErrorCode::not_found, "there is no child '" + id + "'");
}

} // namespace

SupervisorServer::State::State(Supervisor spec)
    : m_spec(std::move(spec))
    , m_limit(m_spec.options.intensity, m_spec.options.period) {
    for (ChildSpec const& child : m_spec.children) {
        append(child);
    }
    m_spec.children.clear();
}

Result<> SupervisorServer::State::check_child(ChildSpec const& spec) const {
    if (spec.id.empty()) {
        return failure(ErrorCode::invalid_argument, "a child has no id; give one in its ChildOptions");
    }
    if (spec.blueprint == nullptr) {
        return failure(ErrorCode::invalid_argument,
                       "child '" + spec.id + "' has nothing to start; make it with child<S>()");
    }
    TRY_OK(detail::check_shutdown(spec));
    if (spec.is_significant && spec.restart == Restart::permanent) {
        return failure(ErrorCode::invalid_argument,
                       "child '" + spec.id + "' can't be both significant and permanent");
    }
    if (spec.is_significant && m_spec.options.auto_shutdown == AutoShutdown::never) {
        return failure(ErrorCode::invalid_argument,
                       "child '" + spec.id + "' is significant, but its supervisor's auto_shutdown is never");
    }
    return {};
}

Result<> SupervisorServer::State::check() const {
    if (m_spec.options.period <= Duration(0)) {
        return failure(ErrorCode::invalid_argument, "a supervisor's period must be longer than zero");
    }
    for (std::size_t at = 0; at < m_children.size(); ++at) {
        TRY_OK(check_child(m_children[at].spec));
        if (position_of(m_children[at].spec.id) != at) {
            return failure(ErrorCode::invalid_argument,
                           "two children have the id '" + m_children[at].spec.id + "'; give one another id");
        }
    }
    return {};
}

void SupervisorServer::State::append(ChildSpec spec) {
    m_children.push_back(Child{.spec = std::move(spec), .key = m_next_key++});
}

void SupervisorServer::State::remove(std::size_t at) {
    m_children.erase(m_children.begin() + static_cast<std::ptrdiff_t>(at));
}

std::size_t SupervisorServer::State::position_of(std::string_view id) const noexcept {
    auto const at =
        std::ranges::find_if(m_children, [id](Child const& child) { return child.spec.id == id; });
    return static_cast<std::size_t>(at - m_children.begin());
}

std::size_t SupervisorServer::State::position_of(std::uint64_t key) const noexcept {
    return static_cast<std::size_t>(std::ranges::find(m_children, key, &Child::key) - m_children.begin());
}

std::size_t SupervisorServer::State::position_of(Pid pid) const noexcept {
    return static_cast<std::size_t>(std::ranges::find(m_children, pid, &Child::pid) - m_children.begin());
}

Async<Result<>> SupervisorServer::State::start_child(std::size_t at) {
    m_children[at].backoff.started(now());
    Request<Pid> start = request_start(m_children[at].spec);
    Result<Pid> started = co_await start;
    Child& child = m_children[at];
    child.wait = 0;
    child.pid = started ? *started : Pid();
    if (!started) {
        co_return std::unexpected(std::move(started).error().with_context("child '" + child.spec.id + "'"));
    }
    co_return Result<>();
}

Async<Result<>> SupervisorServer::State::start_all() {
    for (std::size_t at = 0; at < m_children.size(); ++at) {
        Async<Result<>> const start = start_child(at);
        Result<> started = co_await start;
        if (!started) {
            log::error(started.error().message());
            Async<> const stop = stop_from(0);
            co_await stop;
            co_return std::unexpected(std::move(started).error());
        }
        if (!m_children[at].pid && m_children[at].spec.restart == Restart::temporary) {
            remove(at--);
        }
    }
    co_return Result<>();
}

Async<> SupervisorServer::State::stop_child(std::size_t at) {
    m_children[at].wait = 0;
    Pid const pid = std::exchange(m_children[at].pid, Pid());
    if (!pid) {
        co_return;
    }
    Shutdown const shutdown = m_children[at].spec.shutdown;
    bool const is_brutal = shutdown.is_brutal();
    Request<ExitReason> first =
        detail::end_process(pid, is_brutal ? ExitReason::kill() : ExitReason::shutdown(),
                            is_brutal                ? detail::kill_limit
                            : shutdown.is_infinite() ? Duration::max()
                                                     : shutdown.time());
    Result<ExitReason> ended = co_await first;
    if (!ended && !is_brutal) {
        Request<ExitReason> second = detail::end_process(pid, ExitReason::kill(), detail::kill_limit);
        ended = co_await second;
    }
    unlink(pid, Flush::yes);
    if (!ended) {
        log::error(detail::left_behind_text(m_children[at].spec.id, pid));
        co_return;
    }
    ExitReason const& reason = *ended;
    bool const is_expected = reason.is_orderly() || reason.kind() == ExitReason::Kind::noproc ||
                             (is_brutal && reason.kind() == ExitReason::Kind::killed);
    if (!is_expected) {
        log::error(text_of(m_children[at].spec, pid) + " did not stop in order: " + reason.to_string());
    }
}

Async<> SupervisorServer::State::stop_from(std::size_t first) {
    for (std::size_t at = m_children.size(); at-- > first;) {
        Async<> const stop = stop_child(at);
        co_await stop;
        if (m_children[at].spec.restart == Restart::temporary) {
            remove(at);
        }
    }
}

Async<> SupervisorServer::State::stop_all() {
    return stop_from(0);
}

bool SupervisorServer::State::has_running_significant_child() const noexcept {
    return std::ranges::any_of(m_children, [](Child const& child) {
        return child.spec.is_significant && (child.pid || child.is_restarting());
    });
}

/// Whether the end of `child`, which is not restarted, ends the supervisor.
bool SupervisorServer::State::ends_with(Child const& child) {
    if (!child.spec.is_significant) {
        return false;
    }
    return m_spec.options.auto_shutdown == AutoShutdown::any_significant ||
           (m_spec.options.auto_shutdown == AutoShutdown::all_significant &&
            !has_running_significant_child());
}

Async<bool> SupervisorServer::State::child_ended(Exit message) {
    std::size_t const at = position_of(message.from);
    if (!message.from || at == m_children.size()) {
        log::notice("dropped an Exit message of " + message.from.to_string() + ", which is no child");
        co_return false;
    }
    Child& child = m_children[at];
    child.pid = {};
    bool const is_orderly = message.reason.is_orderly();
    bool const is_restarted =
        child.spec.restart == Restart::permanent || (child.spec.restart == Restart::transient && !is_orderly);
    if (!is_orderly || is_restarted) {
        detail::report_child_end(child.spec, message.from, message.reason, is_restarted);
    }
    if (is_restarted) {
        Async<bool> const restarted = restart(at);
        bool const gives_up = co_await restarted;
        co_return gives_up;
    }
    bool const gives_up = ends_with(child);
    if (child.spec.restart == Restart::temporary) {
        remove(at);
    }
    co_return gives_up;
}

Async<bool> SupervisorServer::State::retry(RetryRestart message) {
    auto const waiting = std::ranges::find(m_children, message.wait, &Child::wait);
    if (waiting == m_children.end() || !waiting->is_restarting()) {
        co_return false;
    }
    auto const at = static_cast<std::size_t>(waiting - m_children.begin());
    if (message.is_counted) {
        Async<> const again = start_again(m_children[at].key);
        co_await again;
        co_return false;
    }
    Async<bool> const restarted = restart(at);
    bool const gives_up = co_await restarted;
    co_return gives_up;
}

SupervisorServer::State::Range SupervisorServer::State::concerned_by(std::size_t at) const noexcept {
    switch (m_spec.options.strategy) {
    case Strategy::one_for_one:
        return {at, at + 1};
    case Strategy::one_for_all:
        return {0, m_children.size()};
    case Strategy::rest_for_one:
        break;
    }
    return {at, m_children.size()};
}

Async<bool> SupervisorServer::State::restart(std::size_t at) {
    if (!m_limit.add(now())) {
        log::error(
            detail::gives_up_text(m_spec.options.intensity, m_spec.options.period, m_children[at].spec.id));
        co_return true;
    }
    std::uint64_t const key = m_children[at].key;
    Duration const wait = m_children[at].backoff.next_wait(m_spec.options.backoff, now());
    if (m_spec.options.strategy != Strategy::one_for_one) {
        Async<> const stop = stop_from(concerned_by(at).first);
        co_await stop;
    }
    if (wait > Duration(0)) {
        Child& child = m_children[position_of(key)];
        child.wait = m_next_wait++;
        detail::send_self_later<SupervisorServer>(wait, RetryRestart{.wait = child.wait, .is_counted = true});
        co_return false;
    }
    Async<> const again = start_again(key);
    co_await again;
    co_return false;
}

Async<> SupervisorServer::State::start_again(std::uint64_t key) {
    Range const range = concerned_by(position_of(key));
    for (std::size_t next = range.first; next < range.end; ++next) {
        Async<Result<>> const start = start_child(next);
        Result<> started = co_await start;
        if (!started) {
            log::error(started.error().message() + "; tried again");
            m_children[next].wait = m_next_wait++;
            send(ServerRef<SupervisorServer>(sinew::self()), RetryRestart{.wait = m_children[next].wait});
            co_return;
        }
    }
}

Async<Result<Pid>> SupervisorServer::State::add(ChildSpec spec) {
    Result<> checked = check_child(spec);
    if (!checked) {
        co_return std::unexpected(std::move(checked).error());
    }
    std::size_t const at = position_of(spec.id);
    if (at != m_children.size()) {
        Child const& child = m_children[at];
        co_return failure(
            ErrorCode::exists,
            child.pid ? "child '" + child.spec.id + "' is running already: " + child.pid.to_string()
                      : "child '" + child.spec.id + "' is present already, but not running; restart it");
    }
    std::string const id = spec.id;
    append(std::move(spec));
    Async<Result<>> const start = start_child(m_children.size() - 1);
    Result<> started = co_await start;
    if (!started) {
        remove(position_of(id));
        co_return std::unexpected(std::move(started).error());
    }
    Pid const pid = m_children.back().pid;
    if (!pid && m_children.back().spec.restart == Restart::temporary) {
        m_children.pop_back();
    }
    co_return pid;
}

Async<Result<>> SupervisorServer::State::terminate(std::string id) {
    std::size_t const at = position_of(id);
    if (at == m_children.size()) {
        co_return no_such_child(id);
    }
    Async<> const stop = stop_child(at);
    co_await stop;
    if (m_children[at].spec.restart == Restart::temporary) {
        remove(at);
    }
    co_return Result<>();
}

Async<Result<Pid>> SupervisorServer::State::restart_stopped(std::string id) {
    std::size_t const at = position_of(id);
    if (at == m_children.size()) {
        co_return no_such_child(id);
    }
    if (m_children[at].pid || m_children[at].is_restarting()) {
        co_return failure(ErrorCode::exists,
                          "child '" + id + "' is " + (m_children[at].pid ? "running" : "being restarted"));
    }
    Async<Result<>> const start = start_child(at);
    Result<> started = co_await start;
    if (!started) {
        co_return std::unexpected(std::move(started).error());
    }
    co_return m_children[at].pid;
}

Result<> SupervisorServer::State::forget(std::string const& id) {
    std::size_t const at = position_of(id);
    if (at == m_children.size()) {
        return no_such_child(id);
    }
    if (m_children[at].pid || m_children[at].is_restarting()) {
        return failure(ErrorCode::exists, "child '" + id + "' is " +
                                              (m_children[at].pid ? "running" : "being restarted") +
                                              "; terminate it first");
    }
    remove(at);
    return {};
}

} // namespace sinew
