/// Works out why the machine started, from what the last run and the bootloader left behind.
///
/// Invariant: the same evidence gives the same reason; what is uncertain counts as a power-on.
/// Threading: pure functions, but for take_crash_store(), which reads and removes files.
#pragma once

#include "kernel_command_line.hpp"

#include <sinew/device/boot_report.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::init {

/// What the kernel's crash store (pstore) kept over a warm reset.
struct CrashStore {
    /// The kernel panicked; its message.
    std::optional<std::string> panic;
    /// The last run ended in an orderly way.
    std::optional<device::EndRecord> end;
};

/// Adds one record of the crash store to `store`. Any bytes are accepted; the panic's message is at most 200
/// bytes.
void parse_crash_record(std::string_view record, CrashStore& store);

/// Reads every record in `folder` and removes it, so that the next boot doesn't find it again.
[[nodiscard]] CrashStore take_crash_store(std::filesystem::path const& folder);

struct BootEvidence {
    KernelCommandLine command_line;
    CrashStore crash_store;
    /// The end record kept in /data.
    std::optional<device::EndRecord> saved_end;
    /// The watchdog says that it reset the machine.
    bool watchdog_reset = false;
};

/// The reason and its detail; the report's other members come from the command line.
[[nodiscard]] device::BootReport explain_boot(BootEvidence const& evidence);

} // namespace sinew::init
