/// Whether what a device is told to start, load and trust is in its image.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>
#include <sinew/system/device_files.hpp>

#include <filesystem>

namespace sinew::system {

/// Error not_found names the setting of sinew.toml, and what it names that isn't in `tree`; invalid_argument: modules
/// that a file system needs were left out. What lies in /data or /run can't be known, and is let be.
[[nodiscard]] Result<> check_image(std::filesystem::path const& tree, ModuleOrder const& modules,
                                   device::InitConfig const& init, device::DeviceConfig const& device);

} // namespace sinew::system
