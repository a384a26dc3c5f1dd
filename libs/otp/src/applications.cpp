#include <sinew/base/result.hpp>
#include <sinew/otp/applications.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/node.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
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
    void tree_ended(Pid tree, ExitReason const& reason);
    [[nodiscard]] Result<> end(Running const& ending);
    /// Puts `name` and what it needs, in order, into `order`.
    [[nodiscard]] Result<> collect(std::string const& name, std::vector<std::string>& path,
                                   std::vector<std::string>& order) const;

    Node& node;
    Config const config;
    OnFatalEnd const on_fatal_end;
    std::map<std::string, ApplicationSpec, std::less<>> specs;
    mutable std::mutex mutex;
    std::vector<Running> running;
};

namespace {

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
    auto const ended = take([](Running const& one) { return one.tree.pid(); }, tree);
    if (!ended) {
        return; // It was stopped on demand.
    }
    log::error("application " + ended->name + " ended: " + reason.to_string());
    ended->application->stop();
    bool const is_fatal =
        ended->type == ApplicationType::permanent ||
        (ended->type == ApplicationType::transient && reason.kind() != ExitReason::Kind::normal);
    if (is_fatal && on_fatal_end) {
        on_fatal_end(ended->name, reason);
    }
}

Result<> Applications::State::end(Running const& ending) {
    ending.application->prepare_stop();
    Result<> stopped = stop_and_wait(ending.tree, ExitReason::shutdown(), Duration::max());
    ending.application->stop();
    if (!stopped) {
        return std::unexpected(std::move(stopped).error().with_context("application " + ending.name));
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
    (void)stop_all();
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
    std::shared_ptr<Application> const application = spec->second.application;
    Result<SupervisorRef> tree = m_state->node.start(application->start(m_state->config));
    if (!tree) {
        application->stop();
        return std::unexpected(std::move(tree).error().with_context("application " + spec->first));
    }
    State::Running const running{spec->first, application, *tree, type};
    for (std::string const& phase : application->start_phases()) {
        if (Result<> done = application->start_phase(phase); !done) {
            (void)m_state->end(running);
            return std::unexpected(
                std::move(done).error().with_context("application " + spec->first + ": phase " + phase));
        }
    }
    {
        std::lock_guard const lock(m_state->mutex);
        m_state->running.push_back(running);
    }
    TRY_OK(m_state->node.start<TreeWatcher<State>>({}, std::weak_ptr(m_state), tree->pid()));
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
    auto const running = m_state->take(&State::Running::name, name);
    if (!running) {
        return failure(ErrorCode::not_found, "application " + std::string(name) + " doesn't run");
    }
    return m_state->end(*running);
}

Result<> Applications::stop_all() {
    Result<> result;
    for (std::vector<std::string> names = running(); !names.empty(); names = running()) {
        if (Result<> stopped = stop(names.back()); !stopped && result) {
            result = std::move(stopped);
        }
    }
    return result;
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
