// From the table [circuits] to a board.
#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/config.hpp>
#include <sinew/circuits/kernel_board.hpp>
#include <sinew/circuits/simulated_board.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::circuits {

namespace {

constexpr std::string_view chip_for_names = "simulated";
// What an alias may make a simulated chip grow to.
constexpr std::uint64_t most_lines = 1024;

SimulatedChip& chip_labelled(std::vector<SimulatedChip>& chips, std::string_view label) {
    auto const found = std::ranges::find(chips, label, &SimulatedChip::label);
    if (found != chips.end()) {
        return *found;
    }
    chips.push_back({.label = std::string(label), .line_count = 8, .names = {}, .pairs = false});
    return chips.back();
}

/// Makes room for what an alias speaks of.
void add_line_for(std::vector<SimulatedChip>& chips, std::string_view target) {
    std::size_t const colon = target.rfind(':');
    if (colon != std::string_view::npos) {
        auto const offset = parse_uint64(target.substr(colon + 1), most_lines - 1);
        // A label "gpiochip0" is right too: a chip is found by either.
        SimulatedChip& chip = chip_labelled(chips, target.substr(0, colon));
        if (offset) {
            chip.line_count = std::max(chip.line_count, static_cast<std::uint32_t>(*offset) + 1);
        }
        return;
    }
    SimulatedChip& chip = chip_labelled(chips, chip_for_names);
    if (std::ranges::find(chip.names, target) == chip.names.end()) {
        chip.names.emplace_back(target);
        chip.line_count = std::max(chip.line_count, static_cast<std::uint32_t>(chip.names.size()));
    }
}

} // namespace

std::vector<SimulatedChip> simulated_chips(CircuitsConfig const& config) {
    if (!config.chips.empty()) {
        return config.chips;
    }
    std::vector<SimulatedChip> chips;
    for (auto const& [alias, target] : config.aliases) {
        add_line_for(chips, target);
    }
    if (chips.empty()) {
        chips.emplace_back();
    }
    return chips;
}

Result<std::shared_ptr<Board>> make_board(CircuitsConfig const& config, Clock const& clock) {
    if (config.backend == BoardKind::simulated) {
        return SimulatedBoard::create(simulated_chips(config), clock, config.aliases);
    }
    if (!config.chips.empty()) {
        return failure(ErrorCode::invalid_argument, "[[circuits.chips]] describes simulated chips, but "
                                                    "[circuits] backend is \"kernel\"; set backend = "
                                                    "\"simulated\" or remove the chips");
    }
    return std::make_shared<KernelBoard>(config.aliases);
}

} // namespace sinew::circuits
