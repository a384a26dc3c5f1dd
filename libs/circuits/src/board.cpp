// Board: from the text a program writes to the one line it means.
#include "gpio_errors.hpp"
#include "gpio_options.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::circuits {

namespace {

/// "cp2112_gpio:4", taken apart.
struct ChipAndOffset {
    std::string_view chip;
    std::uint32_t offset = 0;
};

std::optional<ChipAndOffset> parse_chip_and_offset(std::string_view text) {
    std::size_t const colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return std::nullopt;
    }
    auto const offset = parse_number<std::uint32_t>(text.substr(colon + 1));
    return offset ? std::optional(ChipAndOffset{text.substr(0, colon), *offset}) : std::nullopt;
}

/// The chips that `wanted` fits: the one of that name, else all of that label.
std::vector<ChipInfo> fitting_chips(std::vector<ChipInfo> const& chips, std::string_view wanted) {
    std::vector<ChipInfo> by_label;
    for (ChipInfo const& chip : chips) {
        if (chip.name == wanted) {
            return {chip};
        }
        if (chip.label == wanted) {
            by_label.push_back(chip);
        }
    }
    return by_label;
}

Result<LineInfo> the_only_one(std::string_view shown, std::vector<LineInfo> const& found) {
    if (found.size() == 1) {
        return found.front();
    }
    std::vector<std::string> candidates;
    candidates.reserve(found.size());
    for (LineInfo const& line : found) {
        candidates.push_back(line.chip + ":" + std::to_string(line.offset));
    }
    return std::unexpected(ambiguous_line(shown, candidates));
}

} // namespace

Result<std::vector<LineInfo>> Board::lines() {
    TRY(auto all_chips, chips());
    std::vector<LineInfo> all_lines;
    for (ChipInfo const& chip : all_chips) {
        if (chip.open_errno == 0) {
            TRY(auto chip_lines, lines(chip));
            all_lines.insert(all_lines.end(), chip_lines.begin(), chip_lines.end());
        }
    }
    return all_lines;
}

Result<LineInfo> Board::find_line(std::string_view line) {
    std::string_view target = line;
    std::string shown(line);
    if (auto const alias = m_aliases.find(std::string(line)); alias != m_aliases.end()) {
        target = alias->second;
        shown += "' = '" + alias->second;
    }
    TRY(auto all_chips, chips());
    std::vector<LineInfo> found;
    if (auto const parsed = parse_chip_and_offset(target)) {
        for (ChipInfo const& chip : fitting_chips(all_chips, parsed->chip)) {
            if (chip.open_errno != 0) {
                return std::unexpected(chip_not_usable(shown, chip));
            }
            if (parsed->offset >= chip.line_count) {
                return std::unexpected(no_such_offset(shown, chip));
            }
            TRY(auto chip_lines, lines(chip));
            found.push_back(chip_lines.at(parsed->offset));
        }
        if (!found.empty()) {
            return the_only_one(shown, found);
        }
    }
    TRY(auto all_lines, lines());
    for (LineInfo const& candidate : all_lines) {
        if (!target.empty() && candidate.name == target) {
            found.push_back(candidate);
        }
    }
    if (!found.empty()) {
        return the_only_one(shown, found);
    }
    if (all_lines.empty() && !all_chips.empty() && all_chips.front().open_errno != 0) {
        return std::unexpected(chip_not_usable(shown, all_chips.front()));
    }
    return std::unexpected(no_such_line(shown, all_chips, all_lines));
}

Result<Gpio> Board::open_gpio(std::string_view line, GpioOptions const& options) {
    TRY_OK(check_options(line, options));
    TRY(auto info, find_line(line));
    TRY(auto backend, open_line(info, options));
    info.used = true;
    info.consumer = options.consumer;
    info.direction = options.direction;
    info.bias = options.bias;
    info.drive = options.drive;
    info.polarity = options.polarity;
    info.debounce = options.debounce;
    return Gpio(std::move(info), options, std::move(backend));
}

} // namespace sinew::circuits
