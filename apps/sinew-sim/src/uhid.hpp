/// The events of /dev/uhid (linux/uhid.h), to and from bytes, and the device.
///
/// Threading: free functions without shared state.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace sinew::sim {

/// What the kernel can tell or ask. Those the simulator needs; the others are `other`.
enum class UhidKind : std::uint8_t { start, stop, output, get_report, set_report, other };

struct UhidEvent {
    UhidKind kind = UhidKind::other;
    /// To be repeated in the reply to get_report and set_report.
    std::uint32_t id = 0;
    /// The report's number (get_report).
    std::uint8_t number = 0;
    /// The report, its number included (output, set_report).
    Bytes report;
};

/// One read(2) of the device. A size inside the event that is larger than its field is cut. Error protocol:
/// shorter than an event's type.
[[nodiscard]] Result<UhidEvent> decode_uhid_event(BytesView event);

/// A device of that name, ids and report descriptor; at most 4096 bytes of descriptor (asserted).
[[nodiscard]] Bytes encode_uhid_create(std::string_view name, std::uint16_t vendor, std::uint16_t product,
                                       BytesView descriptor);
[[nodiscard]] Bytes encode_uhid_input(BytesView report);
/// Without `report`: the device has no such report (EIO).
[[nodiscard]] Bytes encode_uhid_get_reply(std::uint32_t id, std::optional<BytesView> report);
enum class SetReportOutcome : std::uint8_t { taken, refused };
[[nodiscard]] Bytes encode_uhid_set_reply(std::uint32_t id, SetReportOutcome outcome);

/// Opens `path` (/dev/uhid), not waiting on reads. Errors: unavailable: there is none; denied.
[[nodiscard]] Result<FileDescriptor> open_uhid(std::filesystem::path const& path);

} // namespace sinew::sim
