/// Implements BootGuard and what it keeps.
///
/// Invariant: the counters' block is read and written under the lock of updates, whose last step is to write it.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/boot_guard.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/update.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>
#include <sinew/otp.hpp>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace sinew::device {
namespace {

constexpr Duration keep_again_interval = std::chrono::seconds(10);
constexpr Duration longest_interval = std::chrono::minutes(10);

Result<std::uint64_t> offset_of(std::int64_t block) {
    if (block <= 0) {
        return failure(ErrorCode::unsupported, "this device's bootloader has no block for that");
    }
    return static_cast<std::uint64_t>(block) * grub_block_bytes;
}

Result<std::array<std::byte, grub_block_bytes>> read_block(FileDescriptor const& disk, std::uint64_t offset) {
    std::array<std::byte, grub_block_bytes> block{};
    TRY_OK(read_exactly_at(disk, block, offset));
    return block;
}

/// What the environment says of a slot; what the block said where there is no environment to ask.
SlotWorth worth_of(DeviceConfig const& config, std::string const& slot, BootReport const& boot,
                   bool validated, SlotWorth before) {
    if (slot == boot.slot) {
        return validated ? SlotWorth::good : SlotWorth::unproven;
    }
    auto const installed = installed_firmware(config, slot);
    if (!installed) {
        return before;
    }
    if (installed->uuid.empty()) {
        return SlotWorth::none; // Its description is written when all of it is there.
    }
    return installed->validated ? SlotWorth::good : SlotWorth::unproven;
}

} // namespace

Result<> keep_boot_counters(DeviceConfig const& config, BootReport const& boot, BootNote const& note,
                            std::filesystem::path const& update_lock) {
    TRY(auto const offset, offset_of(config.boot_blocks.counters));
    TRY(auto const lock, UpdateLock::acquire(update_lock));
    TRY(auto const disk, open_file(config.disk, O_RDWR));
    TRY(auto const block, read_block(disk, offset));
    auto const before = parse_boot_counters(block);
    auto counters = before.value_or(BootCounters{});
    counters.starts = 0;
    counters.runs = note.runs;
    counters.slot_a = worth_of(config, "a", boot, note.validated, counters.slot_a);
    counters.slot_b = worth_of(config, "b", boot, note.validated, counters.slot_b);
    if (note.validated) {
        counters.active = boot.slot;
    }
    if (before == counters) {
        return {};
    }
    TRY_OK(write_all_at(disk, as_bytes(format_boot_counters(counters)), offset));
    return sync_file(disk);
}

Result<bool> is_boot_state_whole(DeviceConfig const& config) {
    TRY(auto const disk, open_file(config.disk, O_RDONLY));
    for (auto const number : {config.boot_blocks.state, config.boot_blocks.state_copy}) {
        TRY(auto const offset, offset_of(number));
        auto const block = read_block(disk, offset);
        auto variables = block ? parse_grub_block(*block) : std::nullopt;
        if (!variables || (*variables)["whole"] != "yes" ||
            ((*variables)["slot"] != "a" && (*variables)["slot"] != "b")) {
            return false;
        }
    }
    return true;
}

Result<bool> restore_environment(DeviceConfig const& config, BootReport const& boot) {
    auto const installed = installed_firmware(config, boot.slot);
    if (installed || installed.error().code() != ErrorCode::corrupt) {
        return false;
    }
    firmware::UbootEnvironment environment(environment_layout(config.environment));
    auto const set = [&](std::string const& name, std::string const& value) {
        return environment.set(name, value);
    };
    auto const prefix = boot.slot + ".nerves_fw_";
    TRY_OK(set("nerves_fw_active", boot.slot));
    TRY_OK(set("nerves_fw_devpath", config.disk));
    TRY_OK(set(prefix + "product", config.product));
    TRY_OK(set(prefix + "version", config.version));
    TRY_OK(set(prefix + "platform", config.platform));
    TRY_OK(set(prefix + "validated", "1"));
    TRY(auto const disk, firmware::FileDevice::open(config.disk, firmware::DeviceAccess::read_write));
    TRY_OK(environment.save(*disk));
    TRY_OK(disk->sync());
    return true;
}

bool must_hold_application_back(BootReport const& boot) noexcept {
    return boot.runs >= most_runs && !boot.orderly && !boot.trial;
}

BootGuard::BootGuard(Options options)
    : m_options(std::move(options)) {}

void BootGuard::init() {
    auto const& boot = m_options.boot;
    // A start that was asked for says nothing against the application.
    m_note.runs = boot.orderly ? std::min(boot.runs, 1) : boot.runs;
    m_note.validated = !boot.trial;
    if (m_options.settled_after) {
        send_after(*m_options.settled_after, Settled{});
    }
    if (is_careful_start(boot.starts) && m_options.end_careful_start) {
        send_after(m_options.careful_for, EndCarefulStart{});
    }
    keep();
}

void BootGuard::handle_info(Settled /*settled*/) {
    m_note.runs = 0;
    keep();
}

void BootGuard::handle_info(Validated /*validated*/) {
    if (!std::exchange(m_note.validated, true)) {
        keep();
    }
}

void BootGuard::handle_info(Retry /*retry*/) {
    keep();
}

void BootGuard::handle_info(EndCarefulStart /*end*/) {
    log::notice("this start left /data alone; rebooting to try it again");
    run_in_background_or_here(m_options.end_careful_start);
}

void BootGuard::keep() {
    if (!m_options.keep || std::exchange(m_is_keeping, true)) {
        m_is_outdated = true;
        return;
    }
    m_is_outdated = false;
    blocking([keep = m_options.keep, note = m_note] {
        return keep(note);
    }).then([this](Result<> const& result) { kept(result); });
}

void BootGuard::kept(Result<> const& result) {
    m_is_keeping = false;
    if (result) {
        m_failures = 0;
        if (m_is_outdated) {
            keep();
        }
        return;
    }
    if (result.error().code() == ErrorCode::unsupported) {
        return;
    }
    if (m_failures++ == 0) {
        log::warning("can't tell the bootloader that this start has worked: " + result.error().message());
    }
    send_after(std::min(keep_again_interval * m_failures, longest_interval), Retry{});
}

} // namespace sinew::device
