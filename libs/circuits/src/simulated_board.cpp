// SimulatedBoard: finds lines as every board does, and leaves what happens on them to its State.
#include "gpio_errors.hpp"
#include "simulated_state.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>
#include <sinew/circuits/simulated_board.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::circuits {

namespace {
constexpr std::uint32_t most_lines = 1024;
} // namespace

/// A line that the program holds; it is released with this object. Keeps the state alive, not the board.
class SimulatedLine final : public GpioBackend {
public:
    SimulatedLine(std::shared_ptr<SimulatedBoard::State> state, std::size_t index)
        : m_state(std::move(state))
        , m_index(index) {}
    SimulatedLine(SimulatedLine const&) = delete;
    SimulatedLine& operator=(SimulatedLine const&) = delete;
    ~SimulatedLine() override { m_state->release_line(m_index); }

    Result<bool> read() override { return m_state->read(m_index); }
    Result<> write(bool value) override { return m_state->write(m_index, value); }
    Result<> configure(GpioOptions const& options) override { return m_state->configure(m_index, options); }
    [[nodiscard]] int edge_descriptor() const noexcept override { return m_state->edge_descriptor(m_index); }
    Result<std::vector<EdgeEvent>> read_edges() override { return m_state->read_edges(m_index); }
    [[nodiscard]] std::optional<MonotonicTime> edges_due() const override {
        return m_state->edges_due(m_index);
    }

private:
    std::shared_ptr<SimulatedBoard::State> m_state;
    std::size_t m_index;
};

SimulatedBoard::SimulatedBoard(std::shared_ptr<State> state, Aliases aliases)
    : Board(std::move(aliases))
    , m_state(std::move(state)) {}

Result<std::shared_ptr<SimulatedBoard>> SimulatedBoard::create(std::vector<SimulatedChip> const& chips,
                                                               Clock const& clock, Aliases aliases) {
    if (chips.empty()) {
        return failure(ErrorCode::invalid_argument, "a simulated board needs a chip; set [[circuits.chips]]");
    }
    for (SimulatedChip const& chip : chips) {
        if (chip.line_count < 1 || chip.line_count > most_lines) {
            return failure(ErrorCode::invalid_argument,
                           "simulated chip '" + chip.label + "': line_count is " +
                               std::to_string(chip.line_count) + ", must be 1 to 1024");
        }
        if (chip.names.size() > chip.line_count) {
            return failure(ErrorCode::invalid_argument,
                           "simulated chip '" + chip.label + "' has " + std::to_string(chip.names.size()) +
                               " names for " + std::to_string(chip.line_count) + " lines; raise line_count");
        }
    }
    auto state = std::make_shared<State>(chips, clock);
    return std::shared_ptr<SimulatedBoard>(new SimulatedBoard(std::move(state), std::move(aliases)));
}

Result<std::vector<ChipInfo>> SimulatedBoard::chips() {
    return m_state->chips();
}

Result<std::vector<LineInfo>> SimulatedBoard::lines(ChipInfo const& chip) {
    return m_state->lines(chip.name);
}

Result<std::unique_ptr<GpioBackend>> SimulatedBoard::open_line(LineInfo const& line,
                                                               GpioOptions const& options) {
    std::size_t const index = m_state->index_of(line);
    TRY_OK(m_state->take_line(index, options));
    return std::make_unique<SimulatedLine>(m_state, index);
}

Result<std::size_t> SimulatedBoard::index_of(std::string_view line) {
    TRY(auto info, find_line(line));
    return m_state->index_of(info);
}

Result<> SimulatedBoard::drive(std::string_view line, bool level) {
    TRY(auto index, index_of(line));
    return m_state->drive(index, level);
}

Result<> SimulatedBoard::release(std::string_view line) {
    TRY(auto index, index_of(line));
    return m_state->drive(index, std::nullopt);
}

Result<bool> SimulatedBoard::level(std::string_view line) {
    TRY(auto index, index_of(line));
    return m_state->level(index);
}

Result<std::vector<LevelChange>> SimulatedBoard::history(std::string_view line) {
    TRY(auto index, index_of(line));
    return m_state->history(index);
}

Result<> SimulatedBoard::wire(std::string_view first, std::string_view second) {
    TRY(auto first_index, index_of(first));
    TRY(auto second_index, index_of(second));
    return m_state->wire(first_index, second_index);
}

Result<> SimulatedBoard::inject(std::string_view line, GpioFault fault) {
    TRY(auto index, index_of(line));
    m_state->inject(index, std::move(fault));
    return {};
}

} // namespace sinew::circuits
