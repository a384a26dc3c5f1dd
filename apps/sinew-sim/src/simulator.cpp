// See simulator.hpp.
#include "simulator.hpp"

#include "cp2112.hpp"
#include "pins.hpp"
#include "uhid.hpp"
#include "virtual_board.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/unix_socket.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::sim {

namespace {

/// Larger than a uhid event, so that one read takes a whole one.
constexpr std::size_t event_buffer_bytes = 8192;

/// The first of these is asked for once the driver's gpiochip exists: its lock byte ends the driver's start.
bool tells_that_the_driver_is_up(UhidEvent const& event) {
    auto const number = static_cast<Report>(event.number);
    return event.kind == UhidKind::get_report &&
           (number == Report::lock_byte || number == Report::gpio_get || number == Report::gpio_config);
}

} // namespace

Simulator::Simulator(FileDescriptor uhid, Options options, Clock const& clock)
    : m_uhid(std::move(uhid))
    , m_socket_path(std::move(options.socket_path))
    , m_board(options.board)
    , m_clock(clock) {}

Simulator::~Simulator() {
    if (m_listener) {
        ::unlink(m_socket_path.c_str());
    }
}

Result<std::unique_ptr<Simulator>> Simulator::create(FileDescriptor uhid, Options options,
                                                     Clock const& clock) {
    std::unique_ptr<Simulator> simulator(new Simulator(std::move(uhid), std::move(options), clock));
    Bytes const request = encode_uhid_create("Sinew simulated CP2112", Cp2112::vendor_id, Cp2112::product_id,
                                             Cp2112::report_descriptor());
    TRY_OK(write_all(simulator->m_uhid, request));
    return simulator;
}

Result<> Simulator::step(std::chrono::milliseconds timeout, int stop_descriptor) {
    std::vector<pollfd> waiting{
        {.fd = m_uhid.get(), .events = POLLIN, .revents = 0},
        {.fd = stop_descriptor, .events = POLLIN, .revents = 0},
        {.fd = m_clients.size() < most_clients ? m_listener.get() : -1, .events = POLLIN, .revents = 0}};
    std::size_t const first_client = waiting.size();
    for (Client const& client : m_clients) {
        short const output = client.session.waiting().empty() ? short{0} : short{POLLOUT};
        waiting.push_back(
            {.fd = client.socket.get(), .events = static_cast<short>(POLLIN | output), .revents = 0});
    }
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(timeout.count())) <= 0) {
        return {};
    }
    if (waiting[0].revents != 0) {
        TRY_OK(serve_kernel());
    }
    std::size_t index = first_client;
    for (auto client = m_clients.begin(); client != m_clients.end();) {
        short const events = waiting[index++].revents;
        client = events == 0 || serve_client(*client, events) ? std::next(client) : m_clients.erase(client);
    }
    if (waiting[2].revents != 0) {
        accept_client();
    }
    return {};
}

Result<> Simulator::serve_kernel() {
    std::array<std::byte, event_buffer_bytes> buffer{};
    auto const size = read_some(m_uhid, buffer);
    if (!size) {
        if (size.error().sys_errno() == EAGAIN) {
            return {};
        }
        return failure(ErrorCode::io, "the kernel took the simulated device away: " + size.error().message());
    }
    if (*size == 0) {
        return failure(ErrorCode::io, "the kernel took the simulated device away");
    }
    TRY(auto event, decode_uhid_event(BytesView(buffer).first(*size)));
    TRY_OK(answer_kernel(event));
    m_last_asked = m_clock.now();
    report_changes();
    if (!is_ready() && tells_that_the_driver_is_up(event)) {
        return become_ready();
    }
    return {};
}

Result<> Simulator::answer_kernel(UhidEvent const& event) {
    switch (event.kind) {
    case UhidKind::get_report: {
        auto const report = m_board.chip().get_feature(event.number);
        if (static_cast<Report>(event.number) == Report::gpio_get) {
            m_board.count_look();
        }
        return write_all(m_uhid, encode_uhid_get_reply(event.id, report ? std::optional<BytesView>(*report)
                                                                        : std::nullopt));
    }
    case UhidKind::set_report: {
        bool const taken = m_board.chip().set_feature(event.report);
        return write_all(m_uhid, encode_uhid_set_reply(event.id, taken ? SetReportOutcome::taken
                                                                       : SetReportOutcome::refused));
    }
    case UhidKind::output:
        for (Bytes const& answer : m_board.chip().output(event.report)) {
            TRY_OK(write_all(m_uhid, encode_uhid_input(answer)));
        }
        return {};
    default:
        return {};
    }
}

Result<> Simulator::become_ready() {
    TRY(auto listener, listen_on_unix_socket(m_socket_path));
    m_listener = std::move(listener);
    return {};
}

void Simulator::accept_client() {
    FileDescriptor socket(::accept4(m_listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
        m_clients.push_back({.socket = std::move(socket), .session = ControlSession(m_board)});
    }
}

bool Simulator::serve_client(Client& client, short events) {
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        std::array<char, 4096> buffer{};
        ssize_t const count = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
            return false;
        }
        if (count > 0) {
            client.session.receive(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
            report_changes();
        }
    }
    if (std::string_view const waiting = client.session.waiting(); !waiting.empty()) {
        ssize_t const count = ::send(client.socket.get(), waiting.data(), waiting.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        client.session.sent(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return !client.session.is_over() || !client.session.waiting().empty();
}

void Simulator::report_changes() {
    MonotonicTime const now = m_clock.now();
    std::uint8_t const changed = m_board.take_changes(now);
    for (std::size_t line = 0; line < Pins::count; ++line) {
        if (((changed >> line) & 1U) != 0) {
            for (Client& client : m_clients) {
                client.session.level_changed(line, now);
            }
        }
    }
}

} // namespace sinew::sim
