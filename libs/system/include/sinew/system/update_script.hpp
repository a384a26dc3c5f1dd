/// The update scripts (fwup.conf) of a target: for the firmware itself, and for the operations kept on the
/// device.
///
/// Order is everything in them. An upgrade first makes sure that the slot it writes to can't be started,
/// writes it, then its description, and as the very last write allows its trial.
#pragma once

#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace sinew::system {

/// What a firmware says about itself.
struct FirmwareIdentity {
    std::string product{};
    std::string version{};
    std::string description{};
    std::string author{};
    std::string vcs_identifier{};
};

/// The files an update script packs. Names relative to the script's folder are fine.
struct FirmwareFiles {
    std::filesystem::path core_image{};
    std::filesystem::path kernel{};
    std::filesystem::path initramfs{};
    std::filesystem::path slot_script{};
    std::filesystem::path rootfs{};
    /// tried_archive() in a file.
    std::filesystem::path tried_archive{};
    /// The first 440 bytes of the disk, in hexadecimal (880 digits).
    std::string boot_code_hex{};
};

/// fwup.conf with the tasks complete and upgrade (.a, .b, and those that only say why not).
[[nodiscard]] std::string update_script(Description const& description, Layout const& layout,
                                        FirmwareIdentity const& identity, FirmwareFiles const& files);

/// ops.conf with the tasks validate, revert, factory-reset, restore-table and status. `boot_code_hex` as above: it
/// shares its sector with the partition table.
[[nodiscard]] std::string operations_script(Description const& description, Layout const& layout,
                                            FirmwareIdentity const& identity,
                                            std::string const& boot_code_hex);

} // namespace sinew::system
