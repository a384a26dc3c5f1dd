/// Implements the policy of data_partition.hpp.
///
/// Invariant: format() is reached by two ways only: content blank, or the thorough repair failed.
#include "data_partition.hpp"

#include "log.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace sinew::init {
namespace {

constexpr std::size_t magic_offset = 1024 + 56;
constexpr std::size_t state_offset = 1024 + 58;
constexpr std::uint16_t ext_magic = 0xEF53;
constexpr std::uint16_t state_has_errors = 0x2;
constexpr std::size_t least_probe_bytes = 2048;

// e2fsck(8): below 4, whatever was wrong has been corrected.
constexpr int uncorrected = 4;

/// Checks, gently at first. True: the file system is in order now. Error: the check itself couldn't be made,
/// which says nothing about what can be saved.
Result<bool> repair(PartitionTools& tools, Log& log) {
    for (auto const how : {PartitionTools::Repair::safe, PartitionTools::Repair::thorough}) {
        TRY(auto const status, tools.check(how));
        if (status < uncorrected) {
            return true;
        }
        log.warning("data partition: the check ended with status " + std::to_string(status) +
                    (how == PartitionTools::Repair::safe ? "; repairing all it can" : ""));
    }
    return false;
}

Result<DataOutcome> format_and_mount(PartitionTools& tools, DataOutcome outcome) {
    TRY_OK(tools.format());
    TRY_OK(tools.mount());
    return outcome;
}

} // namespace

PartitionContent classify_partition(BytesView start) {
    if (start.size() < least_probe_bytes) {
        return PartitionContent::unknown;
    }
    auto const first = start.front();
    bool const uniform = std::ranges::all_of(start, [&](std::byte b) { return b == first; });
    if (uniform && (first == std::byte{0x00} || first == std::byte{0xff})) {
        return PartitionContent::blank;
    }
    if (load_le16(start, magic_offset) != ext_magic) {
        return PartitionContent::unknown;
    }
    bool const has_errors = (load_le16(start, state_offset) & state_has_errors) != 0;
    return has_errors ? PartitionContent::file_system_with_errors : PartitionContent::file_system;
}

Result<DataOutcome> bring_up_data(PartitionTools& tools, Log& log) {
    TRY(auto const content, tools.probe());
    if (content == PartitionContent::blank) {
        log.notice("data partition: it is blank; making a file system");
        return format_and_mount(tools, DataOutcome::formatted);
    }
    if (content == PartitionContent::file_system) {
        if (tools.mount()) {
            return DataOutcome::mounted;
        }
    }
    log.warning("data partition: its file system is damaged; repairing it");
    TRY(auto const is_in_order, repair(tools, log));
    if (is_in_order) {
        if (auto mounted = tools.mount()) {
            log.notice("data partition: repaired");
            return DataOutcome::repaired;
        }
    }
    log.error("data partition: it can't be repaired; ALL ITS DATA IS LOST, making a new file system");
    return format_and_mount(tools, DataOutcome::lost_and_formatted);
}

} // namespace sinew::init
