// See client.hpp.
#include "client.hpp"

#include "protocol.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/unix_socket.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sinew::sim {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// Waits until `socket` is readable. Error timed_out.
Result<> wait_readable(FileDescriptor const& socket, std::optional<SteadyClock::time_point> deadline) {
    while (true) {
        int wait_ms = -1;
        if (deadline) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - SteadyClock::now());
            wait_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
        }
        pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
        int const ready = ::poll(&waiting, 1, wait_ms);
        if (ready > 0) {
            return {};
        }
        if (ready == 0) {
            return failure(ErrorCode::timed_out, "the simulator did not answer in time");
        }
        if (errno != EINTR) {
            return std::unexpected(error_from_errno(errno, "can't wait for the simulator"));
        }
    }
}

} // namespace

Result<Client> Client::connect(std::filesystem::path const& socket_path) {
    auto socket = connect_to_unix_socket(socket_path);
    if (!socket && socket.error().code() == ErrorCode::unavailable) {
        return failure(ErrorCode::unavailable, socket.error().message() +
                                                   "; start a simulator with: sinew-sim serve --socket " +
                                                   socket_path.string());
    }
    TRY(auto connected, std::move(socket));
    return Client(std::move(connected));
}

Result<std::variant<Reply, LevelEvent>> Client::receive(std::optional<std::chrono::milliseconds> timeout) {
    auto const deadline = timeout ? std::optional(SteadyClock::now() + *timeout) : std::nullopt;
    while (true) {
        if (auto const line = m_input.next()) {
            return parse_message(*line);
        }
        TRY_OK(wait_readable(m_socket, deadline));
        std::array<std::byte, 4096> buffer{};
        TRY(auto count, read_some(m_socket, buffer));
        if (count == 0) {
            return failure(ErrorCode::unavailable, "the simulator hung up");
        }
        TRY_OK(m_input.append(as_text(BytesView(buffer).first(count))));
    }
}

Result<Reply> Client::ask(Request const& request, std::chrono::milliseconds timeout) {
    TRY_OK(write_all(m_socket, as_bytes(format_line(request))));
    TRY(auto message, receive(timeout));
    auto* const reply = std::get_if<Reply>(&message);
    if (reply == nullptr) {
        return failure(ErrorCode::protocol, "the simulator sent an event where its reply was due");
    }
    if (!reply->ok) {
        return failure(ErrorCode::invalid_argument, reply->error);
    }
    return std::move(*reply);
}

Result<LevelEvent> Client::next_event(std::optional<std::chrono::milliseconds> timeout) {
    TRY(auto message, receive(timeout));
    auto* const event = std::get_if<LevelEvent>(&message);
    if (event == nullptr) {
        return failure(ErrorCode::protocol, "the simulator sent a reply where an event was due");
    }
    return std::move(*event);
}

} // namespace sinew::sim
