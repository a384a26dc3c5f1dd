/// Connection: one client of an observe socket.
///
/// Invariant: it takes the next request when the answer to the one before is written. A client that has said
/// all (shutdown(2), as `nc -N`) gets its answers, then the connection ends; so it does after a line that is
/// too long. Threading: a process.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/introspection.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/server.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sinew::observe {

class Connection : public sinew::Server<Connection> {
public:
    /// Ends with `server`.
    Connection(std::shared_ptr<FileDescriptor> socket, ServerOptions options, Pid server);
    Result<> init();
    Async<> handle_info(FileReady ready);
    void handle_info(TraceEvent event);
    void handle_info(Down const& server_ended);
    /// A trace's time is up.
    struct TraceEnded {};
    void handle_info(TraceEnded message);
    /// An answer that took its time is written: there may be requests behind it.
    struct GoOn {};
    Async<> handle_info(GoOn message);

private:
    [[nodiscard]] bool read_more();
    [[nodiscard]] bool write_more();
    [[nodiscard]] bool is_gone() const noexcept;
    void watch_for_more();
    Async<> go_on();
    Async<> answer_lines();
    Async<Result<Value>> answer(std::string line);
    Async<Result<Value>> answer_about(Request request, Pid process);
    Async<Result<Value>> answer_statistics(Request request, Pid process);
    Async<Result<Value>> answer_snapshot(Request request);
    Result<Value> answer_log(Request const& request);
    Result<> begin_trace(Request const& request, Pid process);
    void end_trace();
    void put(Result<Value> const& result);

    std::shared_ptr<FileDescriptor> m_socket;
    ServerOptions m_options;
    Pid m_server;
    FileWatch m_watch;
    FileInterest m_interest = FileInterest::readable;
    /// The client sends nothing more.
    bool m_has_ended = false;
    std::string m_input;
    std::string m_output;
    Pid m_traced;
    std::int64_t m_trace_limit = 0;
    Timer m_trace_timer;
    std::vector<TraceEvent> m_trace;
};

} // namespace sinew::observe
