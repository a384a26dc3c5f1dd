#include "observe/connection.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/logger.hpp>
#include <sinew/otp/process_info.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sinew::observe {
namespace {

constexpr std::chrono::seconds ask_limit{2};

Value text_value(std::string text) {
    return Value(Value::Data(std::move(text)));
}
Value object_of(std::string key, Value value) {
    return Value(Value::Data(Value::Object{{std::move(key), std::move(value)}}));
}
Value trace_value(TraceEvent const& event, MonotonicTime first) {
    auto const microseconds = [](Duration time) {
        return Value(
            Value::Data(std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(time).count()}));
    };
    return Value(Value::Data(
        Value::Object{{"at_us", microseconds(event.began - first)},
                      {"message", text_value(event.message)},
                      {"took_us", microseconds(event.took)},
                      {"mailbox_length", Value(Value::Data(static_cast<std::int64_t>(event.mailbox_length)))},
                      {"has_failed", Value(Value::Data(event.has_failed))}}));
}

/// Those that are made of the class `text`, with its namespaces or without.
std::vector<Pid> find_by_class(std::string const& text) {
    std::unordered_map<std::type_index, bool> known;
    std::vector<Pid> found;
    for (Pid const pid : processes()) {
        std::optional<ProcessInfo> const info = process_info(pid);
        if (!info) {
            continue;
        }
        auto const [at, is_new] = known.try_emplace(*info->type, false);
        if (is_new) {
            std::string const name = info->type_name();
            at->second = name == text || name.ends_with("::" + text);
        }
        if (at->second) {
            found.push_back(pid);
        }
    }
    return found;
}

Result<Pid> find_process(std::string const& text) {
    if (auto pid = parse_pid(text)) {
        return pid;
    }
    if (Pid const pid = detail::require_core().registry.find_name(text)) {
        return pid;
    }
    std::vector<Pid> const found = find_by_class(text);
    if (found.size() == 1) {
        return found.front();
    }
    std::string const name = text.substr(0, 64);
    if (found.empty()) {
        return failure(ErrorCode::not_found, "there is no process '" + name + "'");
    }
    constexpr std::size_t most_named = 8;
    std::string pids;
    for (std::size_t at = 0; at < std::min(found.size(), most_named); ++at) {
        pids += (at == 0 ? "" : ", ") + found[at].to_string();
    }
    return failure(ErrorCode::invalid_argument,
                   std::to_string(found.size()) + " processes are a '" + name + "' (" + pids +
                       (found.size() > most_named ? ", ..." : "") + "); name one by its pid");
}

Result<Value> done(Result<> const& result) {
    if (!result) {
        return std::unexpected(Error(result.error().code(), result.error().message()));
    }
    return Value(Value::Data(true));
}

} // namespace

Connection::Connection(std::shared_ptr<FileDescriptor> socket, ServerOptions options, Pid server)
    : m_socket(std::move(socket))
    , m_options(std::move(options))
    , m_server(server) {}

Result<> Connection::init() {
    set_label("observe client");
    monitor(m_server); // A link says nothing of a normal end.
    TRY(m_watch, FileWatch::create(m_socket->get()));
    return {};
}

bool Connection::read_more() {
    std::array<char, 4096> bytes{};
    while (m_input.size() <= request_limit_bytes) {
        ssize_t const count = ::read(m_socket->get(), bytes.data(), bytes.size());
        if (count > 0) {
            m_input.append(bytes.data(), static_cast<std::size_t>(count));
        } else if (count < 0 && errno == EINTR) {
            continue;
        } else {
            m_has_ended = count == 0;
            return m_has_ended || errno == EAGAIN;
        }
    }
    return true;
}

/// The client has closed its socket, not only the way to us.
bool Connection::is_gone() const noexcept {
    pollfd file{.fd = m_socket->get(), .events = 0, .revents = 0};
    return ::poll(&file, 1, 0) == 1 && (file.revents & (POLLHUP | POLLERR)) != 0;
}

bool Connection::write_more() {
    while (!m_output.empty()) {
        ssize_t const count = ::send(m_socket->get(), m_output.data(), m_output.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            m_output.erase(0, static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

void Connection::watch_for_more() {
    FileInterest const interest = m_output.empty() ? FileInterest::readable : FileInterest::writable;
    if (m_output.empty() && (m_has_ended || m_input.size() > request_limit_bytes)) {
        m_watch.close(); // Nothing more is taken now.
        return;
    }
    if (m_watch.fd() >= 0 && interest == m_interest) {
        return;
    }
    m_watch.close();
    auto watch = FileWatch::create(m_socket->get(), interest);
    if (!watch) {
        stop();
        return;
    }
    m_watch = *std::move(watch);
    m_interest = interest;
}

Async<> Connection::handle_info(FileReady ready) {
    if (!write_more() || (m_output.empty() && ready.readable && !read_more()) ||
        (m_has_ended && m_traced && is_gone())) {
        stop();
        co_return;
    }
    Async<> const rest = go_on();
    co_await rest;
}

Async<> Connection::handle_info(GoOn /*message*/) {
    Async<> const rest = go_on();
    co_await rest;
}

Async<> Connection::go_on() {
    Async<> const answers = answer_lines();
    co_await answers;
    watch_for_more();
    if (m_has_ended && m_output.empty() && !m_traced) {
        stop();
    }
}

Async<> Connection::answer_lines() {
    while (m_output.empty() && !m_traced) {
        std::size_t const end = m_input.find('\n');
        bool const is_whole = end != std::string::npos;
        bool const is_last = m_input.size() > request_limit_bytes || (m_has_ended && !m_input.empty());
        if (!is_whole && !is_last) {
            co_return;
        }
        std::string line = m_input.substr(0, end);
        m_input.erase(0, is_whole ? end + 1 : end);
        m_has_ended = m_has_ended || !is_whole; // Whatever follows a line that is too long is a part of it.
        Async<Result<Value>> const asked = answer(std::move(line));
        Result<Value> const result = co_await asked;
        if (!m_traced) {
            put(result);
        }
    }
}

void Connection::put(Result<Value> const& result) {
    m_output += format_json(result ? object_of("ok", *result)
                                   : object_of("error", text_value(result.error().message()))) +
                "\n";
    if (!write_more()) {
        stop();
    }
}

Async<Result<Value>> Connection::answer(std::string line) {
    Result<Request> request = parse_request(line);
    if (!request) {
        co_return std::unexpected(std::move(request).error());
    }
    if (request->operation == Operation::snapshot) {
        Async<Result<Value>> const snapshot = answer_snapshot(*request);
        Result<Value> result = co_await snapshot;
        co_return result;
    }
    if (request->operation == Operation::log_tail || request->operation == Operation::log_levels) {
        co_return answer_log(*request);
    }
    Result<Pid> const process = find_process(request->process);
    if (!process) {
        co_return failure(process.error().code(), process.error().message());
    }
    Async<Result<Value>> const about = answer_about(*std::move(request), *process);
    Result<Value> result = co_await about;
    co_return result;
}

Async<Result<Value>> Connection::answer_snapshot(Request request) {
    auto asked = take_snapshot(static_cast<std::size_t>(request.limit));
    Result<Snapshot> snapshot = co_await asked;
    if (!snapshot) {
        co_return std::unexpected(std::move(snapshot).error());
    }
    if (m_options.is_among_internals && request.text != "all") {
        leave_out_tree_of(*snapshot, self());
    }
    snapshot->application = m_options.application;
    snapshot->version = m_options.version;
    co_return encode(*snapshot);
}

Async<Result<Value>> Connection::answer_about(Request request, Pid process) {
    switch (request.operation) {
    case Operation::state: {
        auto asked = sinew::request(system_of(process), GetState{}, ask_limit);
        Result<Value> state = co_await asked;
        co_return state;
    }
    case Operation::replace_state: {
        auto asked = sinew::request(system_of(process), ReplaceState{std::move(request.state)}, ask_limit);
        Result<> const replaced = co_await asked;
        co_return done(replaced);
    }
    case Operation::suspend: {
        Result<> const suspended = co_await sinew::request(system_of(process), Suspend{}, ask_limit);
        co_return done(suspended);
    }
    case Operation::resume: {
        Result<> const resumed = co_await sinew::request(system_of(process), Resume{}, ask_limit);
        co_return done(resumed);
    }
    case Operation::stop: {
        auto asked = sinew::stop(process, ExitReason::normal(), ask_limit);
        Result<> const stopped = co_await asked;
        co_return done(stopped);
    }
    case Operation::statistics: {
        Async<Result<Value>> const asked = answer_statistics(std::move(request), process);
        Result<Value> statistics = co_await asked;
        co_return statistics;
    }
    default:
        co_return done(begin_trace(request, process));
    }
}

Async<Result<Value>> Connection::answer_statistics(Request request, Pid process) {
    Result<> const begun = co_await sinew::request(system_of(process), StartStatistics{}, ask_limit);
    if (!begun) {
        co_return done(begun);
    }
    Result<> const paused = co_await pause(std::chrono::milliseconds(request.wait_ms));
    (void)paused; // Nothing can keep it from ending.
    Result<Statistics> const counted =
        co_await sinew::request(system_of(process), GetStatistics{}, ask_limit);
    Result<> const ended = co_await sinew::request(system_of(process), StopStatistics{}, ask_limit);
    (void)ended; // It may have ended; what was counted counts.
    if (!counted) {
        co_return failure(counted.error().code(), counted.error().message());
    }
    co_return encode(*counted);
}

Result<> Connection::begin_trace(Request const& request, Pid process) {
    if (process == self().pid() || !is_alive(process)) {
        return failure(ErrorCode::not_found, "that process can't be traced");
    }
    m_traced = process;
    m_trace.clear();
    m_trace_limit = request.limit;
    m_trace_timer = send_after(std::chrono::milliseconds(request.wait_ms), TraceEnded{});
    sinew::request(system_of(process), StartTrace{self(), static_cast<std::size_t>(request.limit)}, ask_limit)
        .then([this](Result<> const& started) {
            if (!started && m_traced) {
                end_trace();
            }
        });
    return {};
}

void Connection::handle_info(TraceEvent event) {
    if (!m_traced) {
        return;
    }
    m_trace.push_back(std::move(event));
    if (static_cast<std::int64_t>(m_trace.size()) == m_trace_limit) {
        end_trace();
    }
}

void Connection::handle_info(Down const& /*server_ended*/) {
    stop();
}

void Connection::handle_info(TraceEnded /*message*/) {
    if (m_traced) {
        end_trace();
    }
}

void Connection::end_trace() {
    (void)cancel(m_trace_timer);
    sinew::request(system_of(std::exchange(m_traced, Pid())), StopTrace{}, ask_limit)
        .then([](Result<> const& /*ended*/) {});
    Value::Array events;
    for (TraceEvent const& event : m_trace) {
        events.push_back(trace_value(event, m_trace.front().began));
    }
    m_trace.clear();
    put(Value(Value::Data(std::move(events))));
    send(self(), GoOn{});
}

Result<Value> Connection::answer_log(Request const& request) {
    if (m_options.logger == nullptr) {
        return failure(ErrorCode::unsupported, "this application has no logger");
    }
    if (request.operation == Operation::log_levels) {
        TRY_OK(m_options.logger->apply(request.text));
        return text_value(m_options.logger->levels());
    }
    Value::Array lines;
    for (log::RecordPointer const& record :
         m_options.logger->ring().grep(request.text, static_cast<std::size_t>(request.limit))) {
        lines.push_back(text_value(log::format(record->event())));
    }
    return Value(Value::Data(std::move(lines)));
}

} // namespace sinew::observe
