/// Implements <sinew/device/boot_report.hpp>.
///
/// Invariant: whatever find_end_record() accepts, format_end_record() writes back the same.
#include <sinew/base/describe.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/boot_report.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::device {
namespace {

constexpr std::string_view prefix = "sinew-end: reason=";
constexpr std::string_view detail_key = " detail=";
constexpr std::size_t max_detail_bytes = 200;

constexpr std::array reasons{
    std::pair(BootReason::power_on, std::string_view("power_on")),
    std::pair(BootReason::reboot_requested, std::string_view("reboot_requested")),
    std::pair(BootReason::update, std::string_view("update")),
    std::pair(BootReason::rolled_back, std::string_view("rolled_back")),
    std::pair(BootReason::application_failed, std::string_view("application_failed")),
    std::pair(BootReason::watchdog_or_reset, std::string_view("watchdog_or_reset")),
    std::pair(BootReason::kernel_panic, std::string_view("kernel_panic")),
};

/// A detail ends where another record begins: the last record of a text is the one that counts.
std::string clean_detail(std::string_view text) {
    std::string clean(text.substr(0, std::min(text.find(prefix), max_detail_bytes)));
    std::ranges::replace_if(clean, [](char c) { return c < ' ' || c > '~'; }, '?');
    return clean;
}

std::optional<EndRecord> parse_end_record(std::string_view line) {
    auto const name_end = std::min(line.find(' '), line.size());
    auto const name = line.substr(0, name_end);
    auto const* const found =
        std::ranges::find(reasons, name, [](auto const& entry) { return entry.second; });
    if (found == reasons.end()) {
        return std::nullopt;
    }
    auto const rest = line.substr(name_end);
    if (rest.empty()) {
        return EndRecord{found->first, {}};
    }
    if (!rest.starts_with(detail_key)) {
        return std::nullopt;
    }
    return EndRecord{found->first, clean_detail(rest.substr(detail_key.size()))};
}

bool has_word(std::string_view command_line, std::string_view word) {
    auto const words = split_nonempty(trim(command_line), ' ');
    return std::ranges::find(words, word) != words.end();
}

} // namespace

BootReport understand_boot_report(std::string_view boot_toml, std::string_view command_line) {
    if (auto report = from_toml<BootReport>(boot_toml, boot_report_path); report && !report->slot.empty()) {
        return *std::move(report);
    }
    BootReport report;
    report.slot = has_word(command_line, "sinew.slot=a")   ? "a"
                  : has_word(command_line, "sinew.slot=b") ? "b"
                                                           : "";
    report.trial = has_word(command_line, "sinew.trial=1");
    report.rolled_back = has_word(command_line, "sinew.rolled_back=1");
    report.reason = report.rolled_back ? BootReason::rolled_back
                    : report.trial     ? BootReason::update
                                       : BootReason::power_on;
    return report;
}

std::string_view to_string(BootReason reason) noexcept {
    return std::ranges::find(reasons, reason, [](auto const& entry) { return entry.first; })->second;
}

std::string format_end_record(EndRecord const& record) {
    std::string line(prefix);
    line += to_string(record.reason);
    if (!record.detail.empty()) {
        line += detail_key;
        line += clean_detail(record.detail);
    }
    return line;
}

std::optional<EndRecord> find_end_record(std::string_view text) {
    for (auto at = text.rfind(prefix); at != std::string_view::npos; at = text.rfind(prefix, at - 1)) {
        auto const line = text.substr(at + prefix.size());
        if (auto record = parse_end_record(line.substr(0, line.find('\n')))) {
            return record;
        }
        if (at == 0) {
            break;
        }
    }
    return std::nullopt;
}

} // namespace sinew::device
