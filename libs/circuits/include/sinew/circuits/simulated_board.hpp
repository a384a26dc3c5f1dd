/// SimulatedBoard: lines in memory, for host runs and tests, with the errors of a real board.
///
/// Two sides: the program opens lines through Board; whoever plays the outside world drives inputs, reads
/// levels, wires lines together and injects faults. Levels are physical (true is high); polarity only
/// concerns the program's side. A line's level: what its own output drives, else what the outside drives,
/// else what a wired line drives, else its pull resistor, else low. Threading: safe from any thread. Edges
/// carry the time of the Clock handed in.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/circuits/board.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::circuits {

/// A chip of a simulated board.
struct SimulatedChip {
    std::string label = "simulated";
    /// 1 to 1024.
    std::uint32_t line_count = 8;
    /// Names by offset; missing and empty ones leave a line without.
    std::vector<std::string> names;
    /// Whether lines 0 and 1, 2 and 3, ... are wired together.
    bool pairs = false;
};
BOOST_DESCRIBE_STRUCT(SimulatedChip, (), (label, line_count, names, pairs))

/// What an injected fault makes fail.
enum class GpioOperation : std::uint8_t { open, read, write, configure, read_edges };

/// A failure to come.
struct GpioFault {
    GpioOperation operation = GpioOperation::write;
    ErrorCode code = ErrorCode::io;
    std::string message = "injected fault";
    /// How many calls fail; after that the line works again.
    int times = 1;
};

/// One change of a line's physical level.
struct LevelChange {
    bool level = false;
    MonotonicTime timestamp;
    friend bool operator==(LevelChange const&, LevelChange const&) = default;
};

class SimulatedBoard final : public Board {
public:
    /// `clock` is borrowed and outlives the board and its lines. Errors invalid_argument: a chip of no or
    /// more than 1024 lines, more names than lines, no chip at all.
    [[nodiscard]] static Result<std::shared_ptr<SimulatedBoard>>
    create(std::vector<SimulatedChip> const& chips, Clock const& clock, Aliases aliases = {});

    [[nodiscard]] Result<std::vector<ChipInfo>> chips() override;
    [[nodiscard]] Result<std::vector<LineInfo>> lines(ChipInfo const& chip) override;
    using Board::lines;

    /// The outside drives `line` to `level`, until release(). Error invalid_argument: the program drives it
    /// as a push-pull output (a short circuit on real hardware); not_found as for open_gpio().
    [[nodiscard]] Result<> drive(std::string_view line, bool level);
    /// The outside lets go of `line`.
    [[nodiscard]] Result<> release(std::string_view line);
    /// The level a meter would show.
    [[nodiscard]] Result<bool> level(std::string_view line);
    /// The last changes of the level, oldest first, at most 1024.
    [[nodiscard]] Result<std::vector<LevelChange>> history(std::string_view line);
    /// Wires two lines together, each to one other at most. Error exists: one of them is wired already.
    [[nodiscard]] Result<> wire(std::string_view first, std::string_view second);
    /// Makes coming calls fail.
    [[nodiscard]] Result<> inject(std::string_view line, GpioFault fault);

protected:
    [[nodiscard]] Result<std::unique_ptr<GpioBackend>> open_line(LineInfo const& line,
                                                                 GpioOptions const& options) override;

private:
    class State;
    friend class SimulatedLine;
    SimulatedBoard(std::shared_ptr<State> state, Aliases aliases);
    [[nodiscard]] Result<std::size_t> index_of(std::string_view line);
    std::shared_ptr<State> m_state;
};

} // namespace sinew::circuits
