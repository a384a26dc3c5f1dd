/// Implements <sinew/device/boot_counters.hpp>.
///
/// Invariant: what can't be understood in a readable block counts as zero or none.
#include <sinew/base/bytes.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/boot_counters.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

constexpr std::string_view signature = "# GRUB Environment Block\n";

std::string_view text_of(SlotWorth worth) {
    switch (worth) {
    case SlotWorth::good:
        return "good";
    case SlotWorth::unproven:
        return "unproven";
    case SlotWorth::none:
        break;
    }
    return "";
}

SlotWorth worth_of(std::string_view text) {
    if (text == "good") {
        return SlotWorth::good;
    }
    return text == "unproven" ? SlotWorth::unproven : SlotWorth::none;
}

int count_of(std::string_view text, int most) {
    return std::clamp(parse_number<int>(text).value_or(0), 0, most);
}

} // namespace

std::string format_grub_block(std::vector<std::pair<std::string_view, std::string>> const& variables) {
    std::string block(signature);
    for (auto const& [name, value] : variables) {
        block += std::string(name) + "=" + value + "\n";
    }
    if (block.size() > grub_block_bytes) {
        throw std::logic_error("these variables don't fit into a GRUB environment block");
    }
    block.resize(grub_block_bytes, '#');
    return block;
}

std::optional<std::map<std::string, std::string>> parse_grub_block(BytesView block) {
    auto text = as_text(block);
    if (!text.starts_with(signature)) {
        return std::nullopt;
    }
    text.remove_prefix(signature.size());
    std::map<std::string, std::string> variables;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        auto const line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (auto const equals = line.find('='); equals != std::string_view::npos) {
            variables[std::string(line.substr(0, equals))] = line.substr(equals + 1);
        }
    }
    return variables;
}

std::string format_boot_counters(BootCounters const& counters) {
    return format_grub_block({{"tried", counters.tried ? "1" : "0"},
                              {"starts", std::to_string(counters.starts)},
                              {"runs", std::to_string(counters.runs)},
                              {"slot_a", std::string(text_of(counters.slot_a))},
                              {"slot_b", std::string(text_of(counters.slot_b))},
                              {"active", counters.active}});
}

std::optional<BootCounters> parse_boot_counters(BytesView block) {
    auto variables = parse_grub_block(block);
    if (!variables || !variables->contains("tried")) {
        return std::nullopt;
    }
    auto const& active = (*variables)["active"];
    return BootCounters{.tried = (*variables)["tried"] != "0",
                        .starts = count_of((*variables)["starts"], most_starts),
                        .runs = count_of((*variables)["runs"], most_runs),
                        .slot_a = worth_of((*variables)["slot_a"]),
                        .slot_b = worth_of((*variables)["slot_b"]),
                        .active = active == "a" || active == "b" ? active : std::string()};
}

} // namespace sinew::device
