/// Implements boot_reason.hpp.
///
/// Invariant: a record that was read is removed even when nothing in it was understood.
#include "boot_reason.hpp"

#include <sinew/base/file.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/boot_report.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;
using device::BootReason;

constexpr std::size_t max_record_bytes = 1u << 20;
constexpr std::size_t max_records = 64;
constexpr std::size_t max_reason_bytes = 200;
constexpr std::string_view panic_phrase = "Kernel panic - not syncing: ";

std::string first_line(std::string_view text) {
    std::string line(text.substr(0, std::min(text.find('\n'), max_reason_bytes)));
    std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
    return line;
}

/// The end record that describes the last run best: memory was written last.
std::optional<device::EndRecord> last_end(BootEvidence const& evidence) {
    return evidence.crash_store.end ? evidence.crash_store.end : evidence.saved_end;
}

bool is_orderly(device::EndRecord const& end) {
    return end.reason == BootReason::reboot_requested || end.reason == BootReason::update ||
           end.reason == BootReason::power_on;
}

/// The bootloader gave the other slot up after starting it again and again.
std::string why_not_started(BootEvidence const& evidence) {
    std::string text = "slot ";
    text += evidence.command_line.slot == "a" ? "b" : "a";
    text +=
        " was started " + std::to_string(device::starts_of_a_slot) + " times and its platform never came up";
    if (evidence.crash_store.panic) {
        return text + ": the kernel panicked: " + *evidence.crash_store.panic;
    }
    auto const end = last_end(evidence);
    return text + (end && !end->detail.empty() ? ": " + end->detail : "");
}

std::string why_not_validated(BootEvidence const& evidence) {
    if (evidence.crash_store.panic) {
        return "the kernel panicked: " + *evidence.crash_store.panic;
    }
    auto const end = last_end(evidence);
    if (end && !end->detail.empty()) {
        return end->detail;
    }
    return end ? "it was rebooted before it was validated" : "it was reset before it was validated";
}

} // namespace

void parse_crash_record(std::string_view record, CrashStore& store) {
    if (auto end = device::find_end_record(record)) {
        store.end = std::move(end);
    }
    if (auto const at = record.find(panic_phrase); at != std::string_view::npos) {
        store.panic = first_line(record.substr(at + panic_phrase.size()));
    } else if (record.starts_with("Panic#") && !store.panic) {
        store.panic = "(its message was not kept)";
    }
}

CrashStore take_crash_store(fs::path const& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        files.push_back(entry->path());
    }
    std::ranges::sort(files);
    CrashStore store;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (auto const record = read_text_file(files[i], max_record_bytes); record && i < max_records) {
            parse_crash_record(*record, store);
        }
        (void)::unlink(files[i].c_str());
    }
    return store;
}

device::BootReport explain_boot(BootEvidence const& evidence) {
    device::BootReport report;
    report.slot = evidence.command_line.slot;
    report.trial = evidence.command_line.trial;
    report.rolled_back = evidence.command_line.rolled_back;
    report.starts = evidence.command_line.starts;
    report.runs = evidence.command_line.runs;
    auto const end = last_end(evidence);
    report.orderly = end && is_orderly(*end) && !evidence.crash_store.panic;
    if (report.rolled_back) {
        report.reason = BootReason::rolled_back;
        report.detail = report.starts > device::starts_of_a_slot ? why_not_started(evidence)
                                                                 : why_not_validated(evidence);
    } else if (report.trial) {
        report.reason = BootReason::update;
    } else if (evidence.crash_store.panic) {
        report.reason = BootReason::kernel_panic;
        report.detail = *evidence.crash_store.panic;
    } else if (end) {
        report.reason = end->reason;
        report.detail = end->detail;
    } else if (evidence.watchdog_reset) {
        report.reason = BootReason::watchdog_or_reset;
        report.detail = "the hardware watchdog ran out";
    }
    return report;
}

} // namespace sinew::init
