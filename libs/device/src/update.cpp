/// Implements the parts of an update on the device.
///
/// Invariant: every check comes before fwup is started; fwup itself checks signature, platform and sizes
/// before it writes anything. Threading: see the header.
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/child_process.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/update.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

namespace fs = std::filesystem;

Result<> still_on_trial() {
    return failure(ErrorCode::unavailable,
                   "the running firmware is still on trial; wait until it is validated, then try again");
}

int exit_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/// Reads `output` to its end: that is when fwup and all it started have closed it.
void read_lines(FileDescriptor const& output, LineSplitter::OnLine const& on_line) {
    LineSplitter lines;
    std::array<std::byte, 4096> buffer{};
    pollfd entry{.fd = output.get(), .events = POLLIN, .revents = 0};
    while (::poll(&entry, 1, -1) >= 0 || errno == EINTR) {
        auto const count = ::read(output.get(), buffer.data(), buffer.size());
        if (count > 0) {
            lines.feed(as_text(std::span(buffer).first(static_cast<std::size_t>(count))), on_line);
        } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            break;
        }
    }
    lines.finish(on_line);
}

} // namespace

Result<InstalledFirmware> installed_firmware(DeviceConfig const& config, std::string const& slot) {
    auto const& place = config.environment;
    if (place.block_count == 0 || place.block < 0 || slot.empty()) {
        return failure(ErrorCode::not_found, "this device's configuration names no U-Boot environment");
    }
    firmware::EnvironmentLayout layout{.block_offset = static_cast<std::uint64_t>(place.block),
                                       .block_count = place.block_count,
                                       .redundant_block_offset = std::nullopt};
    if (place.redundant_block > 0) {
        layout.redundant_block_offset = static_cast<std::uint64_t>(place.redundant_block);
    }
    TRY(auto const disk, firmware::FileDevice::open(config.disk, firmware::DeviceAccess::read_only));
    TRY(auto const environment, firmware::UbootEnvironment::load(*disk, layout));
    return InstalledFirmware{.version = environment.get(slot + ".nerves_fw_version").value_or(""),
                             .uuid = environment.get(slot + ".nerves_fw_uuid").value_or("")};
}

Result<std::vector<std::string>> fwup_command(DeviceConfig const& config, std::string const& input,
                                              std::string const& task) {
    // The disk is the one we run from: without -U, fwup would unmount /data under everybody's feet.
    std::vector<std::string> command{"fwup", "-a", "-n", "-U", "-d", config.disk, "-i", input, "-t", task};
    if (!config.platform.empty()) {
        command.insert(command.end(), {"--platform", config.platform});
    }
    std::vector<std::string> keys;
    std::error_code error;
    for (fs::directory_iterator entry(config.key_directory, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() == ".pub") {
            keys.push_back(entry->path().string());
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return std::unexpected(
            error_from_errno(error.value(), "can't read the update keys in " + config.key_directory));
    }
    std::ranges::sort(keys);
    for (auto& key : keys) {
        command.insert(command.end(), {"-p", std::move(key)});
    }
    return command;
}

Result<UpdateLock> UpdateLock::acquire(fs::path const& path) {
    TRY(auto file, open_file(path, O_RDWR | O_CREAT, 0600));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return failure(ErrorCode::exists, "another update is being installed, or waits for its reboot");
    }
    return UpdateLock(std::move(file));
}

Result<> check_updatable(std::string_view status_json, std::string_view boot_toml) {
    if (auto const status = from_json<DeviceStatus>(status_json, status_path)) {
        return status->trial && !status->validated ? still_on_trial() : Result<>();
    }
    // sinewd isn't there to say whether the trial is over: what was true at the boot counts.
    auto const boot = from_toml<BootReport>(boot_toml, boot_report_path);
    return boot && boot->trial ? still_on_trial() : Result<>();
}

Result<FwupOutcome> run_fwup(std::vector<std::string> const& command,
                             std::function<void(int percent)> const& on_percent) {
    TRY(auto child,
        ChildProcess::start({.command = command, .input = ChildProcessOptions::Input::inherited}));
    FwupOutcome outcome;
    read_lines(child.output(), [&](std::string_view line) {
        int percent = 0;
        auto const [end, error] = std::from_chars(line.data(), line.data() + line.size(), percent);
        if (error == std::errc() && end == line.data() + line.size()) {
            on_percent(percent);
        } else {
            outcome.last_line = line.starts_with("fwup: ") ? line.substr(6) : line;
        }
    });
    pollfd ended{.fd = child.ended().get(), .events = POLLIN, .revents = 0};
    while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
    outcome.status = exit_status(child.wait_status().value_or(0));
    return outcome;
}

} // namespace sinew::device
