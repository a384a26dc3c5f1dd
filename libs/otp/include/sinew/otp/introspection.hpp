/// What every process answers, whatever its class (OTP's sys): its state, a pause, a trace, statistics.
///
///     Value state = sinew::call(sinew::system_of(led), sinew::GetState{}).value();   // outside processes
///     auto paused = co_await sinew::request(sinew::system_of(led), sinew::Suspend{});   // inside one
///
/// These are messages among the process's others: it answers when it comes to them, between two handlers.
/// While it is suspended it handles nothing else, except an orderly stop and its parent's exit. A server
/// shows its state when it has a public `state()` that returns a reference to a described struct; a reference
/// that isn't const lets the state be replaced.
/// Cost: a process that is neither suspended nor traced nor measured pays nothing for all this.
/// Threading: as call() and request().
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/server.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sinew {

/// One handled message of a traced process.
struct TraceEvent {
    /// Which process.
    Pid process;
    /// When its handler began.
    MonotonicTime began;
    /// The message's type, or "an answer".
    std::string message = {};
    /// How long the handler ran, until it returned or began to wait.
    Duration took{0};
    /// Messages that still waited behind it.
    std::size_t mailbox_length = 0;
    /// The handler threw.
    bool has_failed = false;
};

/// What a process did since StartStatistics.
struct Statistics {
    /// How long it has been counted.
    Duration counted{0};
    /// Messages handled.
    std::int64_t messages = 0;
    /// Time in handlers.
    Duration busy{0};
    /// The longest of them, and what it handled.
    Duration longest{0};
    /// Empty when none was handled.
    std::string longest_message = {};
};
BOOST_DESCRIBE_STRUCT(Statistics, (), (counted, messages, busy, longest, longest_message))

/// Who a process is and whom it knows; see process_info() for what it does.
struct ProcessDetails {
    /// What set_label() said; otherwise its class.
    std::string label = {};
    /// The first of its names, or its class when it is registered by that; may be empty.
    std::string name = {};
    /// Who spawned it with a link; empty: nobody.
    Pid parent = {};
    /// The parent, its parent and so on; eight at most.
    std::vector<Pid> ancestors = {};
    /// Whom it is linked to.
    std::vector<Pid> links = {};
    /// Monitors it made, and those on it.
    std::size_t monitors = 0;
    std::size_t watchers = 0;
    Priority priority = Priority::normal;
    bool traps_exit = false;
    /// Its state as JSON, cut after 4,096 characters; empty when the class shows none.
    std::string state = {};
};

/// See ProcessDetails.
struct GetDetails {
    /// As from a call.
    using Reply = ProcessDetails;
};
/// The state as a Value. Error unsupported: the class shows none.
struct GetState {
    /// As from a call.
    using Reply = Result<Value>;
};
/// Changes the members of the state that `state`, an object, names. Errors: unsupported: the class shows no
/// state, or only to look at; invalid_argument: `state` does not fit; nothing is changed then.
struct ReplaceState {
    /// Empty.
    using Reply = Result<>;
    /// An object with the members to change.
    Value state;
};
/// From now on its messages wait; it answers only what is in this file.
struct Suspend {
    /// Empty.
    using Reply = void;
};
/// Ends a Suspend.
struct Resume {
    /// Empty.
    using Reply = void;
};
/// Sends a TraceEvent for each message it handles from now on, `limit` of them at most.
struct StartTrace {
    /// Empty.
    using Reply = void;
    /// Who gets the events; not the traced process itself.
    Recipient<TraceEvent> recipient;
    /// The trace ends by itself after so many.
    std::size_t limit = 1000;
};
/// Ends a trace.
struct StopTrace {
    /// Empty.
    using Reply = void;
};
/// Begins to count, from zero.
struct StartStatistics {
    /// Empty.
    using Reply = void;
};
/// What was counted. Error not_found: nothing is.
struct GetStatistics {
    /// As from a call.
    using Reply = Result<Statistics>;
};
/// Ends the counting.
struct StopStatistics {
    /// Empty.
    using Reply = void;
};

/// The face that every process has besides its own handlers. Never made.
class SystemFace {
public:
    /// Its messages are handled by suspended processes, too.
    using IsSystem = void;
    SystemFace() = delete;
    /// Handlers; see the messages. They act on the process that runs.
    static ProcessDetails handle_call(GetDetails request);
    static Result<Value> handle_call(GetState request);
    static Result<> handle_call(ReplaceState const& request);
    static void handle_call(Suspend request);
    static void handle_call(Resume request);
    static void handle_call(StartTrace request);
    static void handle_call(StopTrace request);
    static void handle_call(StartStatistics request);
    static Result<Statistics> handle_call(GetStatistics request);
    static void handle_call(StopStatistics request);
};

/// Addresses the system messages of any process.
[[nodiscard]] inline ServerRef<SystemFace> system_of(Pid pid) noexcept {
    return ServerRef<SystemFace>(pid);
}
/// The same for a name.
template<typename N>
    requires requires(N const& named) { named.resolve(); }
[[nodiscard]] ServerRef<SystemFace> system_of(N const& named) {
    return system_of(named.resolve());
}

} // namespace sinew
