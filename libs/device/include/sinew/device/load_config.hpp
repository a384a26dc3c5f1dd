/// Reads the two files of config.hpp, so that every program reports a bad one in the same words.
///
/// Threading: free functions without shared state; they block on the file.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>

#include <filesystem>

namespace sinew::device {

inline constexpr char const* default_init_config_path = "/etc/sinew/init.toml";
inline constexpr char const* default_device_config_path = "/etc/sinew/device.toml";

/// Errors: not_found; invalid_argument: naming file and key, also of a setting that check() refuses.
[[nodiscard]] Result<InitConfig> load_init_config(std::filesystem::path const& path);
[[nodiscard]] Result<DeviceConfig> load_device_config(std::filesystem::path const& path);

} // namespace sinew::device
