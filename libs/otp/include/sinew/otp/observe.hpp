/// A look at a whole running node: its processes as a tree, their mailboxes and cost, its schedulers; and the
/// Unix socket over which `sinew observe` and `sinew top` ask for it.
///
/// The protocol is a line of JSON each way: a Request, and {"ok": result} or {"error": "why"}. Requests are
/// bounded (64 KiB, see parse_request()), and so are answers (at most 10,000 processes a snapshot). Whoever
/// may open the socket may do to the application what its own code may: the socket is its user's only.
/// Threading: values and pure functions; Server is a process.
#pragma once

#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/request.hpp>
#include <sinew/otp/server.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::log {
class Logger;
}

namespace sinew::observe {

/// One process of a Snapshot.
struct Process {
    /// "<12.3>"
    std::string pid = {};
    /// Who started it, linked; empty: nobody, or it isn't known.
    std::string parent = {};
    /// Its label, else its class.
    std::string label = {};
    /// The name it is registered under, if any.
    std::string name = {};
    /// "waiting", "running"..., "suspended", or "no answer": it has been in one handler for long.
    std::string state = {};
    /// Messages that wait.
    std::int64_t mailbox_length = 0;
    /// Messages handled since it began.
    std::int64_t messages_handled = 0;
    /// Messages dropped by the limit of its mailbox.
    std::int64_t messages_dropped = 0;
    /// Its record, its state object and what waits in its mailbox; not what its state owns on the heap.
    std::int64_t memory_bytes = 0;
    /// The message whose handler runs; empty: none does.
    std::string handling = {};
    /// How long its handlers have run, in microseconds, while somebody observes.
    std::int64_t busy_us = 0;
    /// It supervises others.
    bool is_supervisor = false;
};
BOOST_DESCRIBE_STRUCT(Process, (),
                      (pid, parent, label, name, state, mailbox_length, messages_handled, messages_dropped,
                       memory_bytes, handling, busy_us, is_supervisor))

/// One scheduler thread of a Snapshot.
struct Worker {
    /// Processor time it has used, in microseconds; what two snapshots differ by is its utilisation.
    std::int64_t busy_us = 0;
};
BOOST_DESCRIBE_STRUCT(Worker, (), (busy_us))

/// What a node is doing at one moment.
struct Snapshot {
    /// The application's name and version.
    std::string application = {};
    /// See `application`.
    std::string version = {};
    /// The operating system's number of the program.
    std::int64_t os_process = 0;
    /// Microseconds on the monotonic clock, for rates between two snapshots.
    std::int64_t taken_us = 0;
    /// Memory of the program in RAM, in bytes.
    std::int64_t resident_bytes = 0;
    /// Processes that live; `processes` may hold fewer.
    std::int64_t process_count = 0;
    /// One a scheduler thread.
    std::vector<Worker> workers = {};
    /// In no order.
    std::vector<Process> processes = {};
};
BOOST_DESCRIBE_STRUCT(Snapshot, (),
                      (application, version, os_process, taken_us, resident_bytes, process_count, workers,
                       processes))

/// Looks at the current node: in a process. Processes that are in one handler for longer than 300 ms are told
/// as "no answer". `limit` processes at most.
[[nodiscard]] sinew::Request<Snapshot, false> take_snapshot(std::size_t limit = 10'000);

/// Takes the whole tree that `member` belongs to out of the snapshot.
void leave_out_tree_of(Snapshot& snapshot, Pid member);

/// The supervision tree, one process a line with its numbers.
[[nodiscard]] std::string tree_text(Snapshot const& snapshot);
/// The supervision tree for Graphviz: `... | dot -Tsvg`.
[[nodiscard]] std::string tree_dot(Snapshot const& snapshot);

/// What can be asked over the socket.
enum class Operation : std::uint8_t {
    /// A Snapshot; with the text "all" also of the runtime's own processes.
    snapshot,
    /// A process's state.
    state,
    /// Changes members of a process's state.
    replace_state,
    /// See Suspend.
    suspend,
    /// See Resume.
    resume,
    /// Ends a process in order.
    stop,
    /// What a process does within `wait_ms`: Statistics.
    statistics,
    /// What a process handles within `wait_ms`, `limit` messages at most.
    trace,
    /// The newest `limit` log events that hold `text`.
    log_tail,
    /// Changes log levels as Logger::apply() does, when `text` isn't empty; answers with all levels.
    log_levels
};
BOOST_DESCRIBE_ENUM(Operation, snapshot, state, replace_state, suspend, resume, stop, statistics, trace,
                    log_tail, log_levels)

/// One question.
struct Request {
    /// What is asked.
    Operation operation = Operation::snapshot;
    /// Of whom: "<12.3>", "12.3", a registered name, or a class ("Led" or "lamp::Led") that one process is
    /// made of; empty where no process is meant.
    std::string process = {};
    /// For replace_state: an object.
    Value state = {};
    /// See Operation; 1 to 10,000.
    std::int64_t limit = 1000;
    /// See Operation; 0 to 60,000.
    std::int64_t wait_ms = 1000;
    /// See Operation.
    std::string text = {};
};
BOOST_DESCRIBE_STRUCT(Request, (), (operation, process, state, limit, wait_ms, text))

/// The longest line that is taken.
inline constexpr std::size_t request_limit_bytes = 65'536;
/// Reads one line of a client. Error invalid_argument: too long, not JSON, an unknown key or operation, a
/// number out of range, or a process is missing.
[[nodiscard]] Result<Request> parse_request(std::string_view line);
/// The inverse.
[[nodiscard]] std::string format_request(Request const& request);
/// "<12.3>" or "12.3". Error invalid_argument.
[[nodiscard]] Result<Pid> parse_pid(std::string_view text);

/// The folder of the sockets: /run/sinew where that can be written, else $XDG_RUNTIME_DIR/sinew, else
/// /tmp/sinew-UID.
[[nodiscard]] std::filesystem::path socket_folder();

/// What a Server is made with.
struct ServerOptions {
    /// The socket; its folder is made when it is missing, for this user only.
    std::filesystem::path path = {};
    /// Told in each Snapshot.
    std::string application = {};
    /// See `application`.
    std::string version = {};
    /// For log_tail and log_levels; may be null.
    log::Logger* logger = nullptr;
    /// The tree it is in is the runtime's own: snapshots leave it out unless they are asked for all.
    bool is_among_internals = false;
};

/// Serves eight clients at a time. A socket that can't be made is logged, and no failed start: an application
/// runs without. While a client is there it turns Node::account_time() on; when the last one has gone it
/// turns it off, unless it was on before the first one came.
class Server : public sinew::Server<Server> {
public:
    using Options = ServerOptions;
    explicit Server(ServerOptions options);
    ~Server();
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;
    Result<Start> init();
    void handle_info(FileReady ready);
    void handle_info(Exit const& message);
    /// Descriptors or memory may be there again.
    struct Retry {};
    void handle_info(Retry message);

private:
    Result<> listen();
    void connected(FileDescriptor socket);

    ServerOptions m_options;
    FileDescriptor m_listener;
    FileWatch m_watch;
    std::size_t m_connections = 0;
    bool m_turned_accounting_on = false;
    bool m_is_short_of_descriptors = false;
};

} // namespace sinew::observe
