/// What a simulated board's lines are doing: levels, wires, edges. The board and its open lines share one of
/// these.
///
/// Invariant: every change goes through update(), so a line's level, history and edges always agree.
/// Threading: safe from any thread.
#pragma once

#include "simulated_net.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>
#include <sinew/circuits/simulated_board.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sinew::circuits {

class SimulatedBoard::State {
public:
    State(std::vector<SimulatedChip> const& chips, Clock const& clock);

    [[nodiscard]] std::vector<ChipInfo> chips() const;
    [[nodiscard]] std::vector<LineInfo> lines(std::string const& chip_name) const;
    [[nodiscard]] std::size_t index_of(LineInfo const& line) const;

    // The program's side. A line that is held is released by exactly one release_line().
    [[nodiscard]] Result<> take_line(std::size_t index, GpioOptions const& options);
    void release_line(std::size_t index);
    [[nodiscard]] Result<bool> read(std::size_t index);
    [[nodiscard]] Result<> write(std::size_t index, bool value);
    [[nodiscard]] Result<> configure(std::size_t index, GpioOptions const& options);
    [[nodiscard]] int edge_descriptor(std::size_t index) const;
    [[nodiscard]] Result<std::vector<EdgeEvent>> read_edges(std::size_t index);
    [[nodiscard]] std::optional<MonotonicTime> edges_due(std::size_t index) const;

    // The outside's side.
    [[nodiscard]] Result<> drive(std::size_t index, std::optional<bool> level);
    [[nodiscard]] bool level(std::size_t index);
    [[nodiscard]] std::vector<LevelChange> history(std::size_t index);
    [[nodiscard]] Result<> wire(std::size_t first, std::size_t second);
    void inject(std::size_t index, GpioFault fault);

private:
    struct Line {
        LineInfo info;
        GpioOptions options;
        NetEnd end;
        std::optional<std::size_t> wired_to;
        bool level = false;
        /// The level after debounce; what an input reads.
        bool settled_level = false;
        std::optional<MonotonicTime> unsettled_since;
        std::deque<LevelChange> history;
        std::deque<GpioFault> faults;
        std::deque<EdgeEvent> edges;
        std::uint32_t sequence = 0;
        std::uint32_t last_read_sequence = 0;
        /// Readable when there is something to look at: an edge, or a debounce that has begun.
        FileDescriptor event;
    };

    [[nodiscard]] Result<> fail_if_injected(Line& line, GpioOperation operation);
    void apply(Line& line, GpioOptions const& options);
    /// Works out the level of a line, and of what it is wired to, after a change.
    void update(std::size_t index);
    void update_one(std::size_t index);
    void settle_all();
    void add_edge(Line& line, MonotonicTime when);

    mutable std::mutex m_mutex;
    Clock const& m_clock;
    std::vector<ChipInfo> m_chips;
    std::vector<Line> m_lines;
};

} // namespace sinew::circuits
