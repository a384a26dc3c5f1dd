// The client of an observe socket. See observe.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/unix_socket.hpp>
#include <sinew/otp/observe_socket.hpp>
#include <sinew/tooling/observe.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

namespace sinew::tooling {

namespace {

constexpr std::chrono::seconds patience{10};
constexpr std::size_t answer_limit_bytes = 16u << 20;
// For a relay that doesn't end when it is asked to.
constexpr std::chrono::seconds end_grace{5};

} // namespace

Result<Observer> Observer::connect(std::filesystem::path const& socket) {
    TRY(auto file, connect_to_unix_socket(socket));
    return Observer(std::move(file), std::nullopt);
}

Result<Observer> Observer::run(std::vector<std::string> const& command) {
    if (!find_program(command.at(0))) {
        return failure(ErrorCode::not_found, "the program '" + command[0] + "' is not installed");
    }
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return std::unexpected(error_from_errno(errno, "a socket can't be made"));
    }
    FileDescriptor ours(ends[0]);
    FileDescriptor const theirs(ends[1]);
    TRY(auto relay, Process::start({.command = command,
                                    .input = Redirect::to(theirs.get()),
                                    .output = Redirect::to(theirs.get()),
                                    .group = ProcessGroup::callers,
                                    .signal_at_owners_end = SIGTERM}));
    return Observer(std::move(ours), std::move(relay));
}

Observer::~Observer() {
    m_socket.close();
    if (m_relay && m_relay->pid() > 0) {
        m_relay->end(end_grace);
    }
}

Result<std::string> Observer::read_line(MonotonicTime deadline) {
    std::array<char, 16384> bytes{};
    for (;;) {
        if (std::size_t const end = m_received.find('\n'); end != std::string::npos) {
            std::string line = m_received.substr(0, end);
            m_received.erase(0, end + 1);
            return line;
        }
        if (m_received.size() > answer_limit_bytes) {
            return failure(ErrorCode::protocol, "the application's answer has no end");
        }
        auto const left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SystemClock().now());
        pollfd file{.fd = m_socket.get(), .events = POLLIN, .revents = 0};
        if (left.count() <= 0 || ::poll(&file, 1, static_cast<int>(left.count())) == 0) {
            return failure(ErrorCode::timed_out, "the application doesn't answer");
        }
        auto const count = read_some(m_socket, std::as_writable_bytes(std::span(bytes)));
        if (!count || *count == 0) {
            return failure(ErrorCode::unavailable, "the application has closed the connection");
        }
        m_received.append(bytes.data(), *count);
    }
}

Result<Value> parse_answer(std::string_view line) {
    TRY(auto const answer, parse_json(line, "answer"));
    if (Value const* const result = answer.find("ok")) {
        return *result;
    }
    Value const* const error = answer.find("error");
    std::string const* const text = error != nullptr ? error->get_if<std::string>() : nullptr;
    if (text == nullptr) {
        return failure(ErrorCode::protocol, "the application's answer is neither a result nor an error");
    }
    return failure(ErrorCode::invalid_argument, *text);
}

Result<> Observer::send(std::string_view text) {
    while (!text.empty()) {
        ssize_t const sent = ::send(m_socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return failure(ErrorCode::unavailable, "the application has closed the connection");
        }
        text.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    return {};
}

Result<Value> Observer::ask(observe::Request const& request) {
    TRY_OK(send(observe::format_request(request) + "\n"));
    TRY(auto const line,
        read_line(SystemClock().now() + std::chrono::milliseconds(request.wait_ms) + patience));
    return parse_answer(line);
}

Result<observe::Snapshot> Observer::snapshot(Internals internals) {
    TRY(auto const answer, ask({.operation = observe::Operation::snapshot,
                                .process = {},
                                .state = {},
                                .limit = 10'000,
                                .text = internals == Internals::shown ? "all" : ""}));
    return decode<observe::Snapshot>(answer, "snapshot");
}

} // namespace sinew::tooling
