/// The device's status: /run/sinew/status.json, for `sinew upload`, for people and for programs.
///
/// Invariant: a reader sees a whole status or none; the file is replaced atomically.
/// Threading: DeviceStatus is a plain value; StatusWriter is a server.
#pragma once

#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/otp.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace sinew::device {

inline constexpr char const* status_path = "/run/sinew/status.json";

struct DeviceStatus {
    struct Application {
        std::string name = {};
        ApplicationStatus state = ApplicationStatus::stopped;
        std::int64_t pid = 0;
        int restarts = 0;
        /// How it ended last; empty if it never did.
        std::string last_end = {};
    };
    std::string product = {};
    std::string version = {};
    /// The firmware archive that runs; empty when the disk doesn't say.
    std::string uuid = {};
    std::string platform = {};
    std::string slot = {};
    /// The slot was booted on trial.
    bool trial = false;
    /// It will be booted again: it never was on trial, or has passed it.
    bool validated = false;
    bool rolled_back = false;
    BootReason boot_reason = BootReason::power_on;
    std::string boot_detail = {};
    std::string serial_number = {};
    std::string hostname = {};
    /// How bringing up /data went, and why it isn't simply mounted.
    DataState data = DataState::unknown;
    std::string data_detail = {};
    std::int64_t uptime_s = 0;
    Application application;
};
BOOST_DESCRIBE_STRUCT(DeviceStatus::Application, (), (name, state, pid, restarts, last_end))
BOOST_DESCRIBE_STRUCT(DeviceStatus, (),
                      (product, version, uuid, platform, slot, trial, validated, rolled_back, boot_reason,
                       boot_detail, serial_number, hostname, data, data_detail, uptime_s, application))

/// Several lines, for a terminal.
[[nodiscard]] std::string describe_for_people(DeviceStatus const& status);

struct StatusWriterOptions {
    std::filesystem::path path = status_path;
    /// What doesn't change while the device runs.
    DeviceStatus initial = {};
    /// Seconds since the machine started.
    std::function<std::int64_t()> uptime_s = {};
    /// Called in this process after init(): those who know the changing parts send them again.
    std::function<void()> ask_for_news = {};
};

class StatusWriter : public Server<StatusWriter> {
public:
    using Options = StatusWriterOptions;
    struct Validated {};
    struct Refresh {};
    explicit StatusWriter(Options options);
    void init();
    void handle_info(ApplicationState state);
    void handle_info(Validated validated);
    void handle_info(Refresh refresh);

private:
    /// What changes while a write goes on is in the next.
    void write();
    void note_written(Result<> const& result);
    Options m_options;
    DeviceStatus m_status = {};
    bool m_is_writing = false;
    bool m_has_changed = false;
    bool m_write_failed = false;
};

} // namespace sinew::device
