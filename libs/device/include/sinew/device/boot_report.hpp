/// What PID 1 found out about this boot: /run/sinew/boot.toml, and the one line that says how the last run
/// ended.
///
/// sinew-init writes both, sinewd reads the first and writes the second when it asks for a reboot. One
/// description serves both programs. Threading: plain values; the file functions block.
#pragma once

#include <sinew/base/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::device {

/// Why the machine started. `watchdog_or_reset` is a reset that nobody announced: the hardware watchdog, or a
/// button.
enum class BootReason : std::uint8_t {
    power_on,
    reboot_requested,
    update,
    rolled_back,
    application_failed,
    watchdog_or_reset,
    kernel_panic
};
BOOST_DESCRIBE_ENUM(BootReason, power_on, reboot_requested, update, rolled_back, application_failed,
                    watchdog_or_reset, kernel_panic)

/// How bringing up the data partition went. `unknown`: nobody has tried, as on a machine without PID 1's report.
enum class DataState : std::uint8_t { unknown, mounted, formatted, repaired, read_only, missing };
BOOST_DESCRIBE_ENUM(DataState, unknown, mounted, formatted, repaired, read_only, missing)

/// The enumerator's name, e.g. "power_on".
[[nodiscard]] std::string_view to_string(BootReason reason) noexcept;

/// /run/sinew/boot.toml.
struct BootReport {
    BootReason reason = BootReason::power_on;
    /// More about the reason, for people; may be empty.
    std::string detail = {};
    /// The slot that was booted, "a" or "b"; empty when the bootloader named none.
    std::string slot = {};
    /// The slot waits to be validated.
    bool trial = false;
    /// The bootloader came back from a slot that was never validated.
    bool rolled_back = false;
    std::string serial_number = {};
    std::string hostname = {};
    DataState data = DataState::unknown;
    /// Why /data isn't simply mounted; empty when it is.
    std::string data_detail = {};
    /// What the bootloader has counted, this start included; see boot_counters.hpp. 0: it doesn't count.
    int starts = 0;
    int runs = 0;
    /// The run before ended in an orderly way: somebody asked for it.
    bool orderly = false;
    /// The disk's partition table is damaged; it runs on the partitions that the firmware knows.
    bool has_damaged_table = false;
};
BOOST_DESCRIBE_STRUCT(BootReport, (),
                      (reason, detail, slot, trial, rolled_back, serial_number, hostname, data, data_detail,
                       starts, runs, orderly, has_damaged_table))

/// The report in `boot_toml`. If that can't be understood, what the bootloader told the kernel (/proc/cmdline), so
/// that a device is known as one whatever happened to the file.
[[nodiscard]] BootReport understand_boot_report(std::string_view boot_toml, std::string_view command_line);

/// Where the report lies, below the root `/run`.
inline constexpr std::string_view boot_report_path = "/run/sinew/boot.toml";
/// Where a program leaves an EndRecord before it asks PID 1 to reboot.
inline constexpr std::string_view end_record_path = "/run/sinew/end";

/// How a run of the system ended: kept in /data and in the kernel log's crash store, read at the next boot.
struct EndRecord {
    /// `power_on` stands for a requested power-off: what follows it is a power-on.
    BootReason reason = BootReason::reboot_requested;
    /// At most 200 bytes, one line.
    std::string detail = {};
    friend bool operator==(EndRecord const&, EndRecord const&) = default;
};

/// One line without its line feed: "sinew-end: reason=NAME detail=TEXT".
[[nodiscard]] std::string format_end_record(EndRecord const& record);

/// The last well-formed end record anywhere in `text`, which may be a whole kernel log; nothing when there is
/// none. Bounded by the length of `text`; bytes outside printable ASCII in the detail become '?'.
[[nodiscard]] std::optional<EndRecord> find_end_record(std::string_view text);

} // namespace sinew::device
