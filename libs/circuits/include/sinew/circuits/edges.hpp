/// A line's edges as messages to an otp process.
///
///     sinew::Result<> Doorbell::init() {                                  // in a Server
///         return watch_edges(m_board, "BUTTON", {.edges = Edges::rising, .debounce = 5ms}, self());
///     }
///     void Doorbell::handle_info(GpioEdge edge) { ... }
///
/// Works on the kernel's lines, and on simulated ones also under virtual time (sinew::testing::Simulation).
/// Threading: watch_edges() is for use inside a process.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/server.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sinew::circuits {

/// One edge of a watched line.
struct GpioEdge {
    /// The name that watch_edges() was given.
    std::string line;
    bool value = false;
    MonotonicTime timestamp;
    /// See EdgeEvent.
    std::uint32_t sequence = 0;
    std::uint32_t missed = 0;
};

/// Starts a process, linked to this one, that takes `line` and sends its edges to `to` as GpioEdge messages.
/// It ends, and releases the line, with this process, however that ends; when the line can't be taken or its chip goes away it
/// ends with that error, and so this process too. A line that is still held is tried again for a second:
/// after a crash the new process may be there before the old one's line is free. Errors: not_found,
/// invalid_argument, unavailable, denied: as Board::find_line(); invalid_argument: the options ask for no
/// edges.
[[nodiscard]] Result<> watch_edges(std::shared_ptr<Board> board, std::string line, GpioOptions options,
                                   Recipient<GpioEdge> const& to);

/// The process that watch_edges() starts. A supervisor can have it as a child too.
class EdgeWatcher : public Server<EdgeWatcher> {
public:
    struct Options {
        std::shared_ptr<Board> board;
        std::string line;
        GpioOptions gpio;
        Recipient<GpioEdge> to;
        /// For whom it has the line: it ends with that process. Empty: with its supervisor.
        Pid owner = {};
    };
    /// Looks at the line again: to take it, or because its debounce is over.
    struct Look {};

    explicit EdgeWatcher(Options options);
    [[nodiscard]] Result<> init();
    void handle_info(FileReady ready);
    void handle_info(Look look);
    void handle_info(Down const& owner_ended);

private:
    [[nodiscard]] Result<> take_line();
    void deliver(Gpio& gpio);

    Options m_options;
    MonotonicTime m_give_up;
    std::optional<Gpio> m_gpio;
    // After m_gpio: the watch ends before its descriptor is closed.
    FileWatch m_watch;
};

/// The clock of the node that this thread works for, virtual in a simulation: for boards made in tests. The
/// wall clock is the machine's.
class NodeClock final : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const noexcept override { return sinew::now(); }
    [[nodiscard]] WallTime wall_now() const noexcept override { return SystemClock().wall_now(); }
};

} // namespace sinew::circuits
