/// Supervisors: a tree's shape as a value, and the questions one can ask a running one.
///
///     sinew::Supervisor tree = sinew::supervise(sinew::Strategy::one_for_one, {
///         sinew::child<Led>({.line = "LED0"}),                      // reachable as name<Led>
///         sinew::child<Button>({.line = "B1"}, {.id = "left"}),     // reachable as name<Button>("left")
///     });
///
/// Semantics are OTP's: children start in order, each when the one before is up; they stop in reverse; more
/// than `intensity` restarts within `period` end the supervisor, which its own supervisor then treats as a
/// crash. Threading: specifications are values; a supervisor is a process.
#pragma once

#include <sinew/otp/call.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew {

enum class Strategy : std::uint8_t {
    /// Only the child that ended is restarted.
    one_for_one,
    /// All others are stopped, then all are started.
    one_for_all,
    /// Those started after it are stopped, then it and they are started.
    rest_for_one
};

/// When a child that ended is started again.
enum class Restart : std::uint8_t {
    permanent,
    /// Only when it did not end normally or by shutdown.
    transient,
    /// Never; its specification goes with it.
    temporary
};

/// How a child is stopped: asked, then killed after a time; killed at once; or waited for without limit.
class Shutdown {
public:
    /// Killed at once.
    [[nodiscard]] static constexpr Shutdown brutal() noexcept { return Shutdown(Duration::min()); }
    /// Waited for without limit.
    [[nodiscard]] static constexpr Shutdown infinity() noexcept { return Shutdown(Duration::max()); }
    /// Asked, and killed after `time`, which is not negative.
    [[nodiscard]] static constexpr Shutdown after(Duration time) noexcept { return Shutdown(time); }
    /// Whether it is brutal().
    [[nodiscard]] constexpr bool is_brutal() const noexcept { return m_time == Duration::min(); }
    /// Whether it is infinity().
    [[nodiscard]] constexpr bool is_infinite() const noexcept { return m_time == Duration::max(); }
    /// Whether its time isn't negative; a supervisor refuses other children.
    [[nodiscard]] constexpr bool is_valid() const noexcept { return is_brutal() || m_time >= Duration(0); }
    /// How long it is waited for.
    [[nodiscard]] constexpr Duration time() const noexcept { return m_time; }

private:
    explicit constexpr Shutdown(Duration time) noexcept
        : m_time(time) {}
    Duration m_time;
};

/// A child's place in its supervisor.
struct ChildOptions {
    /// Unique in its supervisor; default: the class's name. When given, the server is also registered under
    /// it.
    std::string id = {};
    Restart restart = Restart::permanent;
    /// Default: 5 s for workers, infinity for supervisors.
    std::optional<Shutdown> shutdown = {};
    /// false: no name at all.
    bool is_registered = true;
    /// See SupervisorOptions::auto_shutdown; not with Restart::permanent.
    bool is_significant = false;
    /// A name in a Registry, too (registry.via<S>(key)).
    std::shared_ptr<detail::NameClaim const> via = {};
};

/// Whether significant children end their supervisor.
enum class AutoShutdown : std::uint8_t {
    never,
    /// The supervisor ends (reason shutdown) when any significant child ended by itself and is not
    /// restarted...
    any_significant,
    /// ... when the last significant one did.
    all_significant
};

/// An addition to OTP's rules, off unless `first` is set: how long to wait before a child is restarted. The
/// wait doubles with each restart in a row, up to `longest`; a child that lives longer than that starts over.
struct RestartBackoff {
    /// The first wait.
    Duration first = Duration(0);
    /// No wait is longer.
    Duration longest = std::chrono::minutes(1);
};

/// How a supervisor reacts.
struct SupervisorOptions {
    /// Who is restarted.
    Strategy strategy = Strategy::one_for_one;
    /// So many restarts within `period` are borne; one more ends the supervisor.
    unsigned intensity = 3;
    Duration period = std::chrono::seconds(5);
    AutoShutdown auto_shutdown = AutoShutdown::never;
    RestartBackoff backoff = {};
};

/// How to start, restart and stop one child.
struct ChildSpec {
    /// Unique in its supervisor.
    std::string id = {};
    /// What is started.
    std::shared_ptr<detail::Blueprint const> blueprint = {};
    /// See Restart.
    Restart restart = Restart::permanent;
    /// See Shutdown.
    Shutdown shutdown = Shutdown::after(std::chrono::seconds(5));
    /// It is a supervisor itself.
    bool is_supervisor = false;
    /// See AutoShutdown.
    bool is_significant = false;
    /// The class it is registered as.
    std::size_t type_slot = detail::no_type_slot;
    /// The text it is registered under.
    std::string registered_name = {};
    /// The name in a registry that it takes.
    std::shared_ptr<detail::NameClaim const> via = {};
};

/// The shape of a supervision tree: what Application::start() returns.
struct Supervisor {
    /// How it reacts.
    SupervisorOptions options;
    /// In the order of their start.
    std::vector<ChildSpec> children;
};

namespace detail {

/// An element of a list of children.
class ListedChild {
public:
    ListedChild(ChildSpec spec) // NOLINT(google-explicit-constructor): it is one
        : m_spec(std::move(spec)) {}
    /// What is none gets a sentence.
    template<typename T>
        requires(!std::is_convertible_v<T, ChildSpec>)
    ListedChild(T const& /*other*/) { // NOLINT(google-explicit-constructor): never made
        static_assert(std::is_convertible_v<T, ChildSpec>,
                      "a tree's children are what child<Server>(...) or child(subtree, {.id = ...}) returns");
    }
    [[nodiscard]] static std::vector<ChildSpec> specs(std::initializer_list<ListedChild> children) {
        std::vector<ChildSpec> specs;
        specs.reserve(children.size());
        for (ListedChild const& child : children) {
            specs.push_back(child.m_spec);
        }
        return specs;
    }

private:
    ChildSpec m_spec;
};

} // namespace detail

/// A tree of these children, each made by child().
[[nodiscard]] inline Supervisor supervise(SupervisorOptions options,
                                          std::initializer_list<detail::ListedChild> children) {
    return Supervisor{options, detail::ListedChild::specs(children)};
}
/// A tree of these children with the usual limits.
[[nodiscard]] inline Supervisor supervise(Strategy strategy,
                                          std::initializer_list<detail::ListedChild> children) {
    return Supervisor{SupervisorOptions{.strategy = strategy}, detail::ListedChild::specs(children)};
}

namespace detail {
[[nodiscard]] ChildSpec make_child_spec(std::shared_ptr<Blueprint const> blueprint, std::size_t type_slot,
                                        ChildOptions options);
} // namespace detail

/// A child made as S(options), from a fresh copy each time it starts.
template<typename S>
[[nodiscard]] ChildSpec child(typename S::Options options, ChildOptions child_options = {}) {
    return detail::make_child_spec(detail::restartable_blueprint<S, typename S::Options>(std::move(options)),
                                   detail::type_slot<S>, std::move(child_options));
}
/// A child made as S().
template<typename S>
[[nodiscard]] ChildSpec child() {
    return detail::make_child_spec(detail::restartable_blueprint<S>(), detail::type_slot<S>, {});
}
/// A child made as S() with options of its place in the tree.
template<typename S>
[[nodiscard]] ChildSpec child_with(ChildOptions child_options) {
    return detail::make_child_spec(detail::restartable_blueprint<S>(), detail::type_slot<S>,
                                   std::move(child_options));
}
/// A supervisor below a supervisor. `child_options.id` must be given.
[[nodiscard]] ChildSpec child(Supervisor subtree, ChildOptions child_options);

// What a running supervisor answers, with call() or request().
/// A child as it is now.
struct ChildInfo {
    /// What it does.
    enum class State : std::uint8_t { running, restarting, stopped };
    /// Its id.
    std::string id;
    /// Empty when it doesn't run.
    Pid pid;
    /// What it does.
    State state = State::stopped;
    /// It is a supervisor itself.
    bool is_supervisor = false;
};
/// Newest child first, as OTP has it.
struct WhichChildren {
    using Reply = std::vector<ChildInfo>;
};
/// How many children there are.
struct ChildCounts {
    /// Specifications.
    std::size_t specs = 0;
    /// Children that run.
    std::size_t active = 0;
    /// Children that are supervisors.
    std::size_t supervisors = 0;
    /// The others.
    std::size_t workers = 0;
    friend bool operator==(ChildCounts const&, ChildCounts const&) = default;
};
/// Asks for ChildCounts.
struct CountChildren {
    using Reply = ChildCounts;
};
/// Adds a child and starts it; the Pid is empty when init() said ignore. Errors: exists: that id is running,
/// or is present but stopped (restart it); invalid_argument: a bad specification; unavailable: the start
/// failed (the specification is not kept).
struct StartChild {
    using Reply = Result<Pid>;
    /// What is started.
    ChildSpec spec;
};
/// Stops a child; its specification stays (a temporary one's goes). Error not_found.
struct TerminateChild {
    using Reply = Result<>;
    /// Which one.
    std::string id;
};
/// Starts a stopped child. Errors: not_found; exists: running, or restarting; unavailable: the start failed.
struct RestartChild {
    using Reply = Result<Pid>;
    /// Which one.
    std::string id;
};
/// Forgets a stopped child. Errors: not_found; exists: running, or restarting.
struct DeleteChild {
    using Reply = Result<>;
    /// Which one.
    std::string id;
};

/// The process that supervises. Made by the runtime from a Supervisor value.
class SupervisorServer final : public Server<SupervisorServer> {
public:
    using IsSupervisor = void;
    explicit SupervisorServer(Supervisor spec);
    SupervisorServer(SupervisorServer const&) = delete;
    SupervisorServer& operator=(SupervisorServer const&) = delete;
    SupervisorServer(SupervisorServer&&) = delete;
    SupervisorServer& operator=(SupervisorServer&&) = delete;
    ~SupervisorServer();

    Async<Result<>> init();
    std::vector<ChildInfo> handle_call(WhichChildren request);
    ChildCounts handle_call(CountChildren request);
    Async<Result<Pid>> handle_call(StartChild request);
    Async<Result<>> handle_call(TerminateChild request);
    Async<Result<Pid>> handle_call(RestartChild request);
    Result<> handle_call(DeleteChild const& request);
    Async<> handle_info(Exit message);
    /// A restart whose start failed is tried again through the mailbox; one that must wait comes later.
    struct RetryRestart {
        /// Which of the waits, each of which has a number of its own, from 1.
        std::uint64_t wait = 0;
        /// The restart was counted, and the others were stopped for it.
        bool is_counted = false;
    };
    Async<> handle_info(RetryRestart message);
    Async<> terminate(ExitReason const& reason);

private:
    class State;
    std::unique_ptr<State> m_state;
};
/// A supervisor's address.
using SupervisorRef = ServerRef<SupervisorServer>;

} // namespace sinew
