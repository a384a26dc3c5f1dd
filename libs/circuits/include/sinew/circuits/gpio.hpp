/// Gpio: one line that this program holds, to read, write, or hear edges from.
///
/// Usable without a node: nothing here starts a thread or waits. The line is held from open_gpio() until the
/// object is destroyed, which also stops its edges. Threading: an object belongs to one thread at a time;
/// different objects are independent.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/line.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sinew::circuits {

/// One change of an input.
struct EdgeEvent {
    /// The value after the change, polarity applied: true for a rising edge.
    bool value = false;
    /// When the kernel saw it (CLOCK_MONOTONIC).
    MonotonicTime timestamp;
    /// 1 for the first edge of this line since it was opened, then one more each. Source: line_seqno of the
    /// uAPI.
    std::uint32_t sequence = 0;
    /// How many edges just before this one were dropped because nobody read them in time.
    std::uint32_t missed = 0;

    friend bool operator==(EdgeEvent const&, EdgeEvent const&) = default;
};

/// What a board provides for each open line. Programs use Gpio.
class GpioBackend {
public:
    virtual ~GpioBackend() = default;
    [[nodiscard]] virtual Result<bool> read() = 0;
    [[nodiscard]] virtual Result<> write(bool value) = 0;
    [[nodiscard]] virtual Result<> configure(GpioOptions const& options) = 0;
    [[nodiscard]] virtual int edge_descriptor() const noexcept = 0;
    [[nodiscard]] virtual Result<std::vector<EdgeEvent>> read_edges() = 0;
    [[nodiscard]] virtual std::optional<MonotonicTime> edges_due() const { return std::nullopt; }
};

/// An open line. Made by Board::open_gpio().
class Gpio {
public:
    Gpio(LineInfo line, GpioOptions options, std::unique_ptr<GpioBackend> backend)
        : m_line(std::move(line))
        , m_options(std::move(options))
        , m_backend(std::move(backend)) {}

    /// The value now, polarity applied. One ioctl; does not wait, beyond the time a chip behind a bus takes.
    /// An output reads the level at its pin. Error io, unavailable: the chip is gone (ENODEV).
    [[nodiscard]] Result<bool> read() const;

    /// Sets an output. One ioctl. Errors: invalid_argument: the line is an input; io, unavailable as for
    /// read().
    [[nodiscard]] Result<> write(bool value);

    /// Changes direction, bias, drive, polarity, edges or debounce while the line stays held. `consumer` and
    /// `event_buffer` keep what the line was opened with. On an error nothing has changed.
    [[nodiscard]] Result<> configure(GpioOptions const& options);

    /// Readable (poll(2), epoll(7)) when read_edges() has something to look at, which is not always an edge
    /// yet; -1 when the line reports none. Owned by this object; ask anew after configure().
    [[nodiscard]] int edge_descriptor() const noexcept;

    /// The edges that wait, oldest first, at most 64; empty when there are none. Never waits. There is no
    /// edge for the value at the time of opening. Error invalid_argument: opened without edges; unavailable:
    /// the chip is gone.
    [[nodiscard]] Result<std::vector<EdgeEvent>> read_edges();

    /// When to call read_edges() although the descriptor will not become readable. Only a simulated line has
    /// such a moment, while its debounce runs: its clock may be virtual, and can't wake anybody.
    [[nodiscard]] std::optional<MonotonicTime> edges_due() const { return m_backend->edges_due(); }

    [[nodiscard]] LineInfo const& line() const noexcept { return m_line; }
    [[nodiscard]] GpioOptions const& options() const noexcept { return m_options; }

private:
    LineInfo m_line;
    GpioOptions m_options;
    std::unique_ptr<GpioBackend> m_backend;
};

} // namespace sinew::circuits
