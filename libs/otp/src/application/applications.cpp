#include <sinew/base/result.hpp>
#include <sinew/otp/applications.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/node.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {

class Applications::State {
public:
    struct Running {
        std::string name;
        std::shared_ptr<Application> application;
        SupervisorRef tree;
        ApplicationType type = ApplicationType::temporary;
    };
    State(Node& state_node, Config state_config, OnFatalEnd on_end)
        : node(state_node)
        , config(std::move(state_config))
        , on_fatal_end(std::move(on_end)) {}

    [[nodiscard]] bool is_running(std::string_view name) const {
        std::lock_guard const lock(mutex);
        return std::ranges::find(running, name, &Running::name) != running.end();
    }
    /// Takes it off the list; nothing when it isn't there (any more).
    template<typename Member, typename What>
    [[nodiscard]] std::optional<Running> take(Member member, What const& what) {
        std::lock_guard const lock(mutex);
        auto const at = std::ranges::find(running, what, member);
        if (at == running.end()) {
            return std::nullopt;
        }
        Running result = std::move(*at);
        running.erase(at);
        return result;
    }
    [[nodiscard]] std::optional<Running> take_newest() {
        std::lock_guard const lock(mutex);
        if (running.empty()) {
            return std::nullopt;
        }
        Running result = std::move(running.back());
        running.pop_back();
        return result;
    }
    void tree_ended(Pid tree, ExitReason const& reason);
    /// Calls the stop() of applications whose trees ended by themselves, the newest first.
    [[nodiscard]] Result<> finish_ended();
    [[nodiscard]] Result<> end(Running const& ending);
    [[nodiscard]] Result<> go_through_phases(Running const& starting);
    /// Puts `name` and what it needs, in order, into `order`.
    [[nodiscard]] Result<> collect(std::string const& name, std::vector<std::string>& path,
                                   std::vector<std::string>& order) const;

    Node& node;
    Config const config;
    OnFatalEnd const on_fatal_end;
    std::map<std::string, ApplicationSpec, std::less<>> specs;
    mutable std::mutex mutex;
    std::vector<Running> running;
    /// Their trees are gone, their stop() has not been called.
    std::vector<Running> ended;
};

namespace {

/// What `hook`, a function of an application, returns; what it throws as an Error.
template<typename Hook>
Result<> run_hook(std::string const& application, std::string const& name, Hook&& hook) {
    try {
        return std::forward<Hook>(hook)();
    } catch (ConfigError const& error) {
        return failure(ErrorCode::invalid_argument, "application " + application + ": " + error.what());
    } catch (std::exception const& error) {
        return failure(ErrorCode::unavailable,
                       "application " + application + ": " + name + " threw: " + error.what());
    } catch (...) {
        return failure(ErrorCode::unavailable,
                       "application " + application + ": " + name + " threw what is no std::exception");
    }
}

/// The same for one of the hooks on the way down: what fails there is logged, and keeps nothing else from
/// being stopped.
Result<> run_last_hook(std::string const& application, std::string const& name, Application& object,
                       void (Application::*hook)()) {
    Result<> result = run_hook(application, name, [&object, hook]() -> Result<> {
        (object.*hook)();
        return {};
    });
    if (!result) {
        log::error(result.error().message());
    }
    return result;
}

/// The first of two failures.
Result<> first_failure(Result<> first, Result<> second) {
    return first ? std::move(second) : std::move(first);
}

/// Hears of the ends of top supervisors.
template<typename State>
class TreeWatcher final : public Server<TreeWatcher<State>> {
public:
    TreeWatcher(std::weak_ptr<State> state, Pid tree)
        : m_state(std::move(state)) {
        (void)monitor(tree);
    }
    void handle_info(Down const& message) {
        if (auto const state = m_state.lock()) {
            state->tree_ended(message.process, message.reason);
        }
        this->stop();
    }

private:
    std::weak_ptr<State> m_state;
};

} // namespace

void Applications::State::tree_ended(Pid tree, ExitReason const& reason) {
    auto const gone = take([](Running const& one) { return one.tree.pid(); }, tree);
    if (!gone) {
        return; // It was stopped on demand.
    }
    try {
        std::unique_lock lock(mutex);
        ended.push_back(*gone);
        lock.unlock();
        log::error("application " + gone->name + " ended: " + reason.to_string());
    } catch (std::bad_alloc const&) {
        log::error("an application ended"); // What its end means counts all the more.
    }
    bool const is_fatal =
        gone->type == ApplicationType::permanent ||
        (gone->type == ApplicationType::transient && reason.kind() != ExitReason::Kind::normal);
    if (is_fatal && on_fatal_end) {
        on_fatal_end(gone->name, reason);
    }
}

Result<> Applications::State::finish_ended() {
    std::vector<Running> gone;
    {
        std::lock_guard const lock(mutex);
        gone.swap(ended);
    }
    Result<> result;
    for (auto one = gone.rbegin(); one != gone.rend(); ++one) {
        result = first_failure(std::move(result),
                               run_last_hook(one->name, "stop()", *one->application, &Application::stop));
    }
    return result;
}

Result<> Applications::State::end(Running const& ending) {
    Application& application = *ending.application;
    Result<> result = run_last_hook(ending.name, "prepare_stop()", application, &Application::prepare_stop);
    if (Result<> stopped = stop_and_wait(ending.tree, ExitReason::shutdown(), Duration::max()); !stopped) {
        result = first_failure(std::move(result), std::unexpected(std::move(stopped).error().with_context(
                                                      "application " + ending.name)));
    }
    return first_failure(std::move(result),
                         run_last_hook(ending.name, "stop()", application, &Application::stop));
}

Result<> Applications::State::go_through_phases(Running const& starting) {
    std::vector<std::string> phases;
    TRY_OK(run_hook(starting.name, "start_phases()", [&]() -> Result<> {
        phases = starting.application->start_phases();
        return {};
    }));
    for (std::string const& phase : phases) {
        Result<> done = run_hook(starting.name, "start_phase(\"" + phase + "\")",
                                 [&] { return starting.application->start_phase(phase); });
        if (!done) {
            return std::unexpected(
                std::move(done).error().with_context("application " + starting.name + ": phase " + phase));
        }
    }
    return {};
}

Result<> Applications::State::collect(std::string const& name, std::vector<std::string>& path,
                                      std::vector<std::string>& order) const {
    if (std::ranges::find(order, name) != order.end()) {
        return {};
    }
    auto const spec = specs.find(name);
    if (spec == specs.end()) {
        return failure(ErrorCode::not_found,
                       "there is no application " + name +
                           (path.empty() ? std::string() : ", which " + path.back() + " needs"));
    }
    if (std::ranges::find(path, name) != path.end()) {
        return failure(ErrorCode::invalid_argument,
                       "application " + name + " needs itself, through " + path.back());
    }
    path.push_back(name);
    for (std::string const& needed : spec->second.needs) {
        TRY_OK(collect(needed, path, order));
    }
    path.pop_back();
    order.push_back(name);
    return {};
}

Applications::Applications(Node& node, Config config, OnFatalEnd on_fatal_end)
    : m_state(std::make_shared<State>(node, std::move(config), std::move(on_fatal_end))) {}

Applications::~Applications() {
    try {
        (void)stop_all();
    } catch (std::exception const& error) {
        log::error(error.what()); // Out of memory: the node stops what is left.
    }
}

Result<> Applications::add(ApplicationSpec spec) {
    if (spec.name.empty() || spec.application == nullptr) {
        return failure(ErrorCode::invalid_argument, "an application wants a name and an Application");
    }
    auto const [place, is_new] = m_state->specs.try_emplace(spec.name);
    if (!is_new) {
        return failure(ErrorCode::exists, "there is an application " + spec.name + " already");
    }
    place->second = std::move(spec);
    return {};
}

Result<> Applications::start(std::string_view name, ApplicationType type) {
    auto const spec = m_state->specs.find(name);
    if (spec == m_state->specs.end()) {
        return failure(ErrorCode::not_found, "there is no application " + std::string(name));
    }
    for (std::string const& needed : spec->second.needs) {
        if (!m_state->is_running(needed)) {
            return failure(ErrorCode::unavailable,
                           "application " + spec->first + " needs " + needed + ", which doesn't run");
        }
    }
    if (m_state->is_running(name)) {
        return failure(ErrorCode::exists, "application " + spec->first + " runs already");
    }
    (void)m_state->finish_ended(); // It may be this one that ended.
    std::shared_ptr<Application> const application = spec->second.application;
    Supervisor wanted;
    TRY_OK(run_hook(spec->first, "start()", [&]() -> Result<> {
        wanted = application->start(m_state->config);
        return {};
    }));
    Result<SupervisorRef> tree = m_state->node.start(std::move(wanted));
    if (!tree) {
        (void)run_last_hook(spec->first, "stop()", *application, &Application::stop);
        return std::unexpected(std::move(tree).error().with_context("application " + spec->first));
    }
    State::Running const running{spec->first, application, *tree, type};
    if (Result<> done = m_state->go_through_phases(running); !done) {
        (void)m_state->end(running);
        return done;
    }
    {
        std::lock_guard const lock(m_state->mutex);
        m_state->running.push_back(running);
    }
    auto watcher = m_state->node.start<TreeWatcher<State>>({}, std::weak_ptr(m_state), tree->pid());
    if (!watcher) {
        (void)stop(name);
        return std::unexpected(std::move(watcher).error().with_context("application " + spec->first));
    }
    return {};
}

Result<std::vector<std::string>> Applications::ensure_all_started(std::string_view name,
                                                                  ApplicationType type) {
    std::vector<std::string> path;
    std::vector<std::string> order;
    TRY_OK(m_state->collect(std::string(name), path, order));
    std::vector<std::string> started;
    for (std::string const& next : order) {
        if (m_state->is_running(next)) {
            continue;
        }
        if (Result<> done = start(next, type); !done) {
            for (auto back = started.rbegin(); back != started.rend(); ++back) {
                (void)stop(*back);
            }
            return std::unexpected(std::move(done).error());
        }
        started.push_back(next);
    }
    return started;
}

Result<> Applications::stop(std::string_view name) {
    (void)m_state->finish_ended(); // Not this one's failure, and logged.
    auto const running = m_state->take(&State::Running::name, name);
    if (!running) {
        return failure(ErrorCode::not_found, "application " + std::string(name) + " doesn't run");
    }
    return m_state->end(*running);
}

Result<> Applications::stop_all() {
    Result<> result = m_state->finish_ended();
    while (auto const newest = m_state->take_newest()) {
        result = first_failure(std::move(result), m_state->end(*newest));
    }
    // Trees that ended meanwhile.
    return first_failure(std::move(result), m_state->finish_ended());
}

Result<SupervisorRef> Applications::tree(std::string_view name) const {
    std::lock_guard const lock(m_state->mutex);
    auto const found = std::ranges::find(m_state->running, name, &State::Running::name);
    if (found == m_state->running.end()) {
        return failure(ErrorCode::not_found, "application " + std::string(name) + " doesn't run");
    }
    return found->tree;
}

void Applications::forget() noexcept {
    std::lock_guard const lock(m_state->mutex);
    m_state->running.clear();
    m_state->ended.clear();
}

std::vector<std::string> Applications::running() const {
    std::lock_guard const lock(m_state->mutex);
    std::vector<std::string> result;
    for (State::Running const& one : m_state->running) {
        result.push_back(one.name);
    }
    return result;
}

} // namespace sinew
