/// Implements the parts of an update on the device.
///
/// Invariant: every check comes before fwup is started; fwup itself checks signature, platform and sizes
/// before it writes anything.
#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/update.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
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

constexpr int lock_attempts = 10;
constexpr std::chrono::milliseconds lock_interval{100};

Result<std::size_t> read_piece(UpdateInput const& input, MutableBytesView into) {
    pollfd waiting{.fd = input.descriptor, .events = POLLIN, .revents = 0};
    while (true) {
        int const ready = ::poll(&waiting, 1, static_cast<int>(input.silence_limit.count()));
        if (ready == 0) {
            return failure(ErrorCode::timed_out, "the sender has been silent for too long");
        }
        auto const count = ready > 0 ? ::read(input.descriptor, into.data(), into.size()) : -1;
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR && errno != EAGAIN) {
            return std::unexpected(error_from_errno(errno, "can't read the update"));
        }
    }
}

} // namespace

firmware::EnvironmentLayout environment_layout(EnvironmentBlocks const& place) {
    firmware::EnvironmentLayout layout{.block_offset = static_cast<std::uint64_t>(place.block),
                                       .block_count = place.block_count,
                                       .redundant_block_offset = std::nullopt};
    if (place.redundant_block > 0) {
        layout.redundant_block_offset = static_cast<std::uint64_t>(place.redundant_block);
    }
    return layout;
}

Result<InstalledFirmware> installed_firmware(DeviceConfig const& config, std::string const& slot) {
    auto const& place = config.environment;
    if (place.block_count == 0 || place.block < 0 || slot.empty()) {
        return failure(ErrorCode::not_found, "this device's configuration names no U-Boot environment");
    }
    auto const layout = environment_layout(place);
    TRY(auto const disk, firmware::FileDevice::open(config.disk, firmware::DeviceAccess::read_only));
    TRY(auto const environment, firmware::UbootEnvironment::load(*disk, layout));
    return InstalledFirmware{.version = environment.get(slot + ".nerves_fw_version").value_or(""),
                             .uuid = environment.get(slot + ".nerves_fw_uuid").value_or(""),
                             .validated = environment.get(slot + ".nerves_fw_validated") == "1"};
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
    if (keys.empty() && !config.accept_unsigned) {
        return failure(ErrorCode::denied,
                       "there is no update key (*.pub) in " + config.key_directory +
                           ", so no update can be checked; accept_unsigned = true in [device] "
                           "of sinew.toml would accept any");
    }
    std::ranges::sort(keys);
    for (auto& key : keys) {
        command.insert(command.end(), {"-p", std::move(key)});
    }
    return command;
}

Result<UpdateLock> UpdateLock::acquire(fs::path const& path) {
    TRY(auto file, open_file(path, O_RDWR | O_CREAT, 0600));
    for (int attempt = 0; ::flock(file.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
        if (attempt == lock_attempts) {
            return failure(ErrorCode::exists, "another update is being installed, or waits for its reboot");
        }
        (void)::poll(nullptr, 0, static_cast<int>(lock_interval.count()));
    }
    return UpdateLock(std::move(file));
}

Result<> check_updatable(std::string_view status_json, BootReport const& boot) {
    if (auto const status = from_json<DeviceStatus>(status_json, status_path)) {
        return status->trial && !status->validated ? still_on_trial() : Result<>();
    }
    // sinewd isn't there to say whether the trial is over: what was true at the boot counts.
    return boot.trial ? still_on_trial() : Result<>();
}

Result<FwupOutcome> run_fwup(std::vector<std::string> const& command, UpdateInput const& input,
                             std::function<void(int percent)> const& on_percent) {
    FwupOutcome outcome;
    LineSplitter lines;
    auto const hear = [&](std::string_view line) {
        if (auto const percent = parse_number<int>(line)) {
            on_percent(*percent);
        } else {
            outcome.last_line = line.starts_with("fwup: ") ? line.substr(6) : line;
        }
    };
    TRY(auto const result,
        run_command(command,
                    {.read_input = [&](MutableBytesView into) { return read_piece(input, into); },
                     .error_output = Redirect::output(),
                     .timeout = input.whole_limit,
                     .output_limit_bytes = 0,
                     .on_line = [&](std::string_view line) { lines.feed(std::string(line) + "\n", hear); },
                     .group = ProcessGroup::session}));
    outcome.status = result.status;
    return outcome;
}

} // namespace sinew::device
