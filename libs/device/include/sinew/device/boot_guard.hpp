/// BootGuard: takes back what the bootloader has counted, once the platform is up and again once the machine has
/// stayed up; and mends the bootloader's blocks from what runs.
///
/// Invariant: a start is taken back only after the platform has done its work. Whoever can't write it down tries
/// again; a machine that never can is one whose starts go on being counted.
/// Threading: a server; `keep` runs on the blocking pool.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

namespace sinew::device {

/// What is known of this start.
struct BootNote {
    /// What `runs` becomes: how many starts in a row the machine didn't survive for long, this one included
    /// until it has.
    int runs = 0;
    /// The running slot isn't on trial, or has passed it.
    bool validated = false;
};

/// Writes the counters' block: no start in vain, `note.runs`, and what each slot is worth, as the U-Boot
/// environment has it. Doesn't write what is there already. Blocks. Errors: unsupported: this machine has no such
/// block; exists: an update is being installed; io.
[[nodiscard]] Result<> keep_boot_counters(DeviceConfig const& config, BootReport const& boot,
                                          BootNote const& note, std::filesystem::path const& update_lock);

/// False when one of the two boot state blocks names no slot: the task `validate` writes both anew. Blocks. Errors:
/// unsupported, io.
[[nodiscard]] Result<bool> is_boot_state_whole(DeviceConfig const& config);

/// When both copies of the U-Boot environment are damaged: writes it anew with what is known of the running slot,
/// so that updates find their device. True when it did. Blocks. Errors: io.
[[nodiscard]] Result<bool> restore_environment(DeviceConfig const& config, BootReport const& boot);

/// The machine was reset again and again soon after its application had started.
[[nodiscard]] bool must_hold_application_back(BootReport const& boot) noexcept;

struct BootGuardOptions {
    BootReport boot = {};
    /// So long after the start the machine counts as having survived it; none: it isn't decided, as the
    /// application is held back.
    std::optional<Duration> settled_after = std::chrono::minutes(5);
    /// May block.
    std::function<Result<>(BootNote const&)> keep = {};
    /// A careful start (see boot_counters.hpp) runs without /data: after so long the next start tries it again.
    Duration careful_for = std::chrono::minutes(10);
    std::function<void()> end_careful_start = {};
};

class BootGuard : public Server<BootGuard> {
public:
    using Options = BootGuardOptions;
    struct Settled {};
    struct Validated {};
    struct Retry {};
    struct EndCarefulStart {};
    explicit BootGuard(Options options);
    void init();
    void handle_info(Settled settled);
    void handle_info(Validated validated);
    void handle_info(Retry retry);
    void handle_info(EndCarefulStart end);

private:
    void keep();
    void kept(Result<> const& result);
    Options m_options;
    BootNote m_note;
    bool m_is_keeping = false;
    /// Something has changed since the last attempt began.
    bool m_is_outdated = false;
    int m_failures = 0;
};

} // namespace sinew::device
