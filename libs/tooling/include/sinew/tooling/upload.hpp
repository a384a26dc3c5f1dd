/// Updating a running device over ssh(1), and finding out what became of it.
///
/// Invariant: success is only reported once the device itself says that the new firmware runs and is
/// validated. One thread; upload() blocks until the outcome is known or time is up.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/tooling/keys.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::tooling {

class Console;

/// What /run/sinew/status.json says, and which boot said it.
struct DeviceStatus {
    /// The kernel's random name of this boot.
    std::string boot_id;
    std::string product;
    std::string version;
    std::string uuid;
    std::string platform;
    std::string slot;
    /// The slot was booted on trial; stays so when it has passed it.
    bool trial = false;
    bool validated = false;
    bool rolled_back = false;
    std::string boot_reason;
    std::string application_state;
};

/// Reads the boot's name (the first line) and the JSON behind it. Unknown members are ignored. Error
/// protocol.
[[nodiscard]] Result<DeviceStatus> parse_device_status(std::string_view text);

enum class UploadState : std::uint8_t {
    /// Still up on the old boot, or not answering.
    rebooting,
    /// The new firmware runs and is on trial.
    on_trial,
    /// The new firmware runs and is validated.
    validated,
    /// The old firmware runs again.
    rolled_back,
    timed_out
};

/// Decides from what the device says, call by call, how an update goes. Knows no network and no sleep.
class UploadWatch {
public:
    /// `before` is what the device said before the update; `uuid` is the new firmware's.
    UploadWatch(DeviceStatus before, std::string uuid, MonotonicTime now, Duration limit)
        : m_before(std::move(before))
        , m_uuid(std::move(uuid))
        , m_deadline(now + limit) {}

    /// Takes in one look at the device (nothing: it didn't answer) and returns the state since then.
    UploadState observe(std::optional<DeviceStatus> const& seen, MonotonicTime now);
    [[nodiscard]] UploadState state() const noexcept { return m_state; }
    [[nodiscard]] bool is_over() const noexcept {
        return m_state != UploadState::rebooting && m_state != UploadState::on_trial;
    }
    /// The last answer since the reboot, or the one before.
    [[nodiscard]] DeviceStatus const& last() const noexcept { return m_last ? *m_last : m_before; }
    /// One sentence on why it failed, for rolled_back and timed_out.
    [[nodiscard]] std::string explanation() const;

private:
    DeviceStatus m_before;
    std::string m_uuid;
    MonotonicTime m_deadline;
    UploadState m_state = UploadState::rebooting;
    std::optional<DeviceStatus> m_last;
    bool m_was_on_trial = false;
};

struct UploadOptions {
    /// "192.168.1.20", "root@blinky.local".
    std::string host;
    std::uint16_t port = 22;
    /// Further words for ssh, before the host.
    std::vector<std::string> ssh_options;
    /// Keys to offer beside the one for development: files of ssh(1), or .pub files of keys that an agent holds.
    std::vector<std::filesystem::path> identities{};
    /// An archive that the device may run. If it does, only what changed is sent; if that isn't accepted,
    /// all.
    std::filesystem::path previous{};
    std::chrono::seconds limit{180};
    std::chrono::milliseconds poll_interval{1000};
};

struct UploadReport {
    firmware::Metadata metadata;
    DeviceStatus before;
    DeviceStatus after;
    /// What was sent in the end.
    std::uint64_t sent_bytes = 0;
    bool as_delta = false;
    Duration transfer{};
    Duration total{};
};

/// The words that start ssh for `options`: the development key and `identities` are offered and no others, and hosts
/// are remembered apart from the user's own; devices behind a port of this machine by that port.
[[nodiscard]] std::vector<std::string> ssh_command(KeyStore const& keys, UploadOptions const& options);

/// Forgets who was behind `port` of this machine: an emulated device is going to be.
void forget_local_host(KeyStore const& keys, std::uint16_t port);

/// Uploads. Errors: unavailable: the device can't be reached; invalid_argument: another platform, or the
/// device refused (in its words); timed_out; io: the connection broke; and denied: the device went back to
/// its old firmware.
[[nodiscard]] Result<UploadReport> upload(Console& console, KeyStore const& keys,
                                          std::filesystem::path const& archive, UploadOptions const& options);

} // namespace sinew::tooling
