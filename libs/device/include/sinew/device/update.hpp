/// Installing a firmware update: what `sinew-update` does on the device.
///
/// Invariant: nothing is written when the update is refused; one update at a time.
/// Threading: blocks until the update is installed or has failed.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {
struct EnvironmentLayout;
}

namespace sinew::device {

/// What an update is recorded as, by the slot's variables in the U-Boot environment.
struct InstalledFirmware {
    std::string version;
    std::string uuid;
    bool validated = false;
};

/// The place in the form of the firmware library.
[[nodiscard]] firmware::EnvironmentLayout environment_layout(EnvironmentBlocks const& place);

/// Reads the variables of `slot` ("a" or "b"). Errors: not_found: the configuration names no environment;
/// corrupt; io.
[[nodiscard]] Result<InstalledFirmware> installed_firmware(DeviceConfig const& config,
                                                           std::string const& slot);

/// The fwup command line that applies `task` from `input` ("-" is standard input) with the configured keys.
/// Errors: denied: there is no key, and the configuration doesn't accept unsigned updates; the key folder can't be
/// read.
[[nodiscard]] Result<std::vector<std::string>>
fwup_command(DeviceConfig const& config, std::string const& input, std::string const& task);

inline constexpr char const* update_lock_path = "/run/sinew/update.lock";

/// The lock of one update at a time, and of whoever writes what an update writes; released when destroyed or when the process ends.
class UpdateLock {
public:
    /// Waits a second for somebody who only writes a block. Error exists: another update is running, or installed
    /// and waiting for its reboot.
    [[nodiscard]] static Result<UpdateLock> acquire(std::filesystem::path const& path = update_lock_path);

private:
    explicit UpdateLock(FileDescriptor file)
        : m_file(std::move(file)) {}
    FileDescriptor m_file;
};

/// Refuses while the running slot is on trial. `status_json` is the text of that file, or empty. Error unavailable: says what to wait for.
[[nodiscard]] Result<> check_updatable(std::string_view status_json, BootReport const& boot);

/// What a run of fwup came to: its last words, as one line fit for people.
struct FwupOutcome {
    int status = 0;
    std::string last_line;
};

/// Where an update comes from, and how long that may take.
struct UpdateInput {
    int descriptor = 0;
    /// Without a byte for so long the update has failed, and others have their turn.
    std::chrono::milliseconds silence_limit = std::chrono::minutes(1);
    /// And for all of it.
    std::chrono::milliseconds whole_limit = std::chrono::hours(6);
};

/// Runs `command` and feeds it. `on_percent` is called with each number that it prints alone on a line. A status
/// that was lost is a failure like any other. Errors: it can't be started; timed_out: as UpdateInput says, and it
/// has been ended.
[[nodiscard]] Result<FwupOutcome> run_fwup(std::vector<std::string> const& command, UpdateInput const& input,
                                           std::function<void(int percent)> const& on_percent);

/// `sinew-update --check`: whether an update would be taken now, and if not, why. Returns the exit status.
[[nodiscard]] int check_update();

/// Everything of `sinew-update`: reads standard input, prints progress and one line of result, returns the
/// exit status. On success the device reboots about a second later.
[[nodiscard]] int run_update(DeviceConfig const& config);

} // namespace sinew::device
