/// The server: the kernel's uhid device on one side, control clients on the other, one poll(2) loop between
/// them.
///
/// Invariant: the control socket exists only once the kernel's driver has the chip, so its appearance means
/// "ready". Threading: for one thread.
#pragma once

#include "control_session.hpp"
#include "uhid.hpp"
#include "virtual_board.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace sinew::sim {

class Simulator {
public:
    struct Options {
        std::filesystem::path socket_path;
        VirtualBoard::Options board;
    };
    static constexpr std::size_t most_clients = 16;

    /// Creates the device on `uhid` (see open_uhid()). `clock` is borrowed. Error io: the kernel refuses it.
    [[nodiscard]] static Result<std::unique_ptr<Simulator>> create(FileDescriptor uhid, Options options,
                                                                   Clock const& clock);
    Simulator(Simulator const&) = delete;
    Simulator& operator=(Simulator const&) = delete;
    /// Removes the socket; the kernel removes the chip.
    ~Simulator();

    /// Waits at most `timeout` for something to do, and does it. `stop_descriptor` becoming readable ends the
    /// wait. Errors: exists: another simulator serves the socket; io: the kernel took the device away.
    [[nodiscard]] Result<> step(std::chrono::milliseconds timeout, int stop_descriptor = -1);
    /// Whether the kernel asked for something in the last `time`: a driver that polls the lines does all the
    /// while.
    [[nodiscard]] bool was_asked_within(std::chrono::milliseconds time) const {
        return m_last_asked && m_clock.now() - *m_last_asked <= time;
    }
    /// Whether the kernel's driver has the chip, and clients can connect.
    [[nodiscard]] bool is_ready() const noexcept { return static_cast<bool>(m_listener); }
    [[nodiscard]] VirtualBoard& board() noexcept { return m_board; }

private:
    struct Client {
        FileDescriptor socket;
        ControlSession session;
    };
    Simulator(FileDescriptor uhid, Options options, Clock const& clock);

    [[nodiscard]] Result<> serve_kernel();
    [[nodiscard]] Result<> answer_kernel(UhidEvent const& event);
    [[nodiscard]] Result<> become_ready();
    void accept_client();
    /// False: the client is gone.
    [[nodiscard]] bool serve_client(Client& client, short events);
    void report_changes();

    FileDescriptor m_uhid;
    std::filesystem::path m_socket_path;
    VirtualBoard m_board;
    Clock const& m_clock;
    std::optional<MonotonicTime> m_last_asked;
    FileDescriptor m_listener;
    std::list<Client> m_clients;
};

} // namespace sinew::sim
