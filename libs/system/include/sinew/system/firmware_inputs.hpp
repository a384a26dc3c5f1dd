/// From a built system and an application to the files that an update script packs.
///
/// The same inputs give the same bytes: times are those of `build_time`, owners are root, order is fixed.
/// Blocks; a call shares nothing with another that has its own `output`.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/system/build.hpp>
#include <sinew/system/update_script.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinew::system {

/// Who a firmware is for.
enum class Purpose : std::uint8_t {
    development,
    /// Without what [development] of system.toml names.
    production
};

struct FirmwareOptions {
    Purpose purpose = Purpose::development;
    /// Path on the device (without leading slash) -> file on this machine. "sbin/init" also becomes the
    /// initramfs's /init and must be linked statically. Programs are stripped.
    std::map<std::string, std::filesystem::path> programs{};
    /// A tree (bin/, config/, ...) that becomes /srv/app; may be empty.
    std::filesystem::path application{};
    /// Trees laid over the root file system, the last wins. data, dev, proc, run, sys and tmp can't be in
    /// them.
    std::vector<std::filesystem::path> overlays{};
    /// File name -> content, in /etc/sinew/keys.
    std::map<std::string, std::string> public_keys{};
    /// Lines of /etc/sinew/authorized_keys.
    std::vector<std::string> authorized_keys{};
    FirmwareIdentity identity{};
    /// What PID 1 and sinewd are told; start from init_config() and device_config(). Without them: exactly
    /// those, and nobody asks whether what they start is there.
    std::optional<device::InitConfig> init{};
    std::optional<device::DeviceConfig> device{};
    /// Seconds since 1970, for every time in the image.
    std::int64_t build_time = 0;
    /// Signs the operations archive.
    std::optional<firmware::PrivateKey> private_key{};
    /// Made if it isn't there; files in it are replaced.
    std::filesystem::path output{};
};

/// How much of the root file system a part takes, before compression.
struct PartSize {
    std::string name{};
    std::uint64_t size_bytes = 0;
};

struct FirmwareInputs {
    /// fwup.conf: give it to firmware::create_archive().
    std::filesystem::path update_script{};
    std::filesystem::path operations_script{};
    std::filesystem::path operations_archive{};
    std::filesystem::path slot_script{};
    std::filesystem::path initramfs{};
    std::filesystem::path rootfs{};
    std::filesystem::path kernel{};
    std::filesystem::path core_image{};
    /// Largest first.
    std::vector<PartSize> rootfs_parts{};
};

/// Makes them. Errors: invalid_argument: an overlay holds a forbidden path, or a program is for another
/// architecture ("file: is for aarch64, the target needs x86_64"); not_found: a library that a program needs
/// is neither in the application nor in the system, with the chain that needs it; no_space: the root file
/// system is larger than its slot; io.
[[nodiscard]] Result<FirmwareInputs> assemble_firmware_inputs(BuiltSystem const& system,
                                                              FirmwareOptions const& options);

} // namespace sinew::system
