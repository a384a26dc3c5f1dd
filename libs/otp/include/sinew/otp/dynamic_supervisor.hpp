/// DynamicSupervisor: children that come and go at run time, known by their Pid (OTP's DynamicSupervisor and
/// simple_one_for_one).
///
///     sinew::child<DynamicSupervisor>({.max_children = 100}, {.id = "sessions"});         // in the tree
///     auto asked = request(name<DynamicSupervisor>("sessions"),
///                          StartChild{child<Session>({.user = 7}, {.restart = Restart::temporary})});
///     auto session = co_await asked;                                                      // a Result<Pid>
///
/// It starts empty. Ids need not be unique; a child that should have a name gets an id of its own. While a
/// child's init() runs, other requests are served. When the supervisor stops, all children are stopped at
/// once, under one timer: the longest of their shutdown times. Restarts are counted as in any supervisor.
/// Threading: a process.
#pragma once

#include <sinew/otp/supervisor.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew {

/// Stops the child that runs as `pid`; a permanent one doesn't come back either. One that is being restarted
/// is known by the Pid that it had last, too. Error not_found.
struct TerminatePid {
    using Reply = Result<>;
    /// Which child.
    Pid pid;
};

/// The process; see the top of the file.
class DynamicSupervisor final : public Server<DynamicSupervisor> {
public:
    using IsSupervisor = void;
    /// How it supervises.
    struct Options {
        /// StartChild fails with no_space beyond; children that are being restarted count.
        std::size_t max_children = std::numeric_limits<std::size_t>::max();
        /// So many restarts within `period` are borne; one more ends the supervisor.
        unsigned intensity = 3;
        Duration period = std::chrono::seconds(5);
        RestartBackoff backoff = {};
    };
    explicit DynamicSupervisor(Options options);
    DynamicSupervisor(DynamicSupervisor const&) = delete;
    DynamicSupervisor& operator=(DynamicSupervisor const&) = delete;
    DynamicSupervisor(DynamicSupervisor&&) = delete;
    DynamicSupervisor& operator=(DynamicSupervisor&&) = delete;
    ~DynamicSupervisor();

    Result<> init();
    /// Errors: no_space: max_children run already; invalid_argument: a bad specification; unavailable: the
    /// start failed.
    void handle_call(StartChild request, Deferred<StartChild> reply);
    void handle_call(TerminatePid request, Deferred<TerminatePid> reply);
    /// Newest child first.
    std::vector<ChildInfo> handle_call(WhichChildren request);
    /// Children that are being restarted are not active.
    ChildCounts handle_call(CountChildren request);
    void handle_info(Exit const& message);
    struct RetryRestart {
        /// The Pid that the child had.
        Pid child;
    };
    void handle_info(RetryRestart message);
    Async<> terminate(ExitReason const& reason);

private:
    class State;
    std::unique_ptr<State> m_state;
};

/// One kind of child for a DynamicSupervisor: made as S(extra..., arguments...), where the extra arguments
/// are the same for all.
///
///     auto const sessions = child_template<Session>({.restart = Restart::temporary}, database);
///     auto const start = StartChild{sessions(user, language)};
template<typename S, typename... Extra>
class ChildTemplate {
public:
    /// See child_template().
    explicit ChildTemplate(ChildOptions options, Extra... extra)
        : m_options(std::move(options))
        , m_extra(std::move(extra)...) {
        m_options.is_registered = false;
        if (m_options.id.empty()) {
            m_options.id = detail::readable_type_name(typeid(S));
        }
    }
    /// A child of these arguments.
    template<typename... Arguments>
    [[nodiscard]] ChildSpec operator()(Arguments... arguments) const {
        return std::apply(
            [&](Extra const&... extra) {
                return detail::make_child_spec(detail::restartable_blueprint<S, Extra..., Arguments...>(
                                                   extra..., std::move(arguments)...),
                                               detail::type_slot<S>, m_options);
            },
            m_extra);
    }

private:
    ChildOptions m_options;
    std::tuple<Extra...> m_extra;
};

/// Makes children whose first arguments are `extra`.
template<typename S, typename... Extra>
[[nodiscard]] ChildTemplate<S, Extra...> child_template(ChildOptions options, Extra... extra) {
    return ChildTemplate<S, Extra...>(std::move(options), std::move(extra)...);
}

} // namespace sinew
