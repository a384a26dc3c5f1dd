/// The table [circuits] of an application's configuration, and the board it asks for.
///
///     [circuits]                                   # config.toml: what the application calls its lines
///     aliases = { LED0 = "cp2112_gpio:0" }
///
///     [circuits]                                   # host.toml: on the development machine, in memory
///     backend = "simulated"
///
/// Threading: plain values.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/simulated_board.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace sinew::circuits {

enum class BoardKind : std::uint8_t { kernel, simulated };
BOOST_DESCRIBE_ENUM(BoardKind, kernel, simulated)

struct CircuitsConfig {
    BoardKind backend = BoardKind::kernel;
    Aliases aliases;
    /// The chips of a simulated board. Without any, the chips that the aliases speak of are made, with 8
    /// lines or as many as the aliases need, and each alias without a ':' becomes a line of that name.
    std::vector<SimulatedChip> chips;
};
BOOST_DESCRIBE_STRUCT(CircuitsConfig, (), (backend, aliases, chips))

/// The chips that a simulated board of `config` has.
[[nodiscard]] std::vector<SimulatedChip> simulated_chips(CircuitsConfig const& config);

/// The board that `config` asks for. `clock` dates simulated edges; it is borrowed and outlives the board.
/// Error invalid_argument: chips with a kernel board, or a chip as for SimulatedBoard::create().
[[nodiscard]] Result<std::shared_ptr<Board>> make_board(CircuitsConfig const& config, Clock const& clock);

} // namespace sinew::circuits
