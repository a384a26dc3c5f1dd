/// The files on the device that follow from a description: init.toml and device.toml.
#pragma once

#include <sinew/device/config.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sinew::system {

/// Modules in the order they are loaded, what they depend on included: file names without ".ko".
struct ModuleOrder {
    std::vector<std::string> early{};
    std::vector<std::string> late{};
};

/// What PID 1 needs to know about the target. `build_time` is in seconds since 1970.
[[nodiscard]] device::InitConfig init_config(Description const& description, Layout const& layout,
                                             ModuleOrder const& modules, std::int64_t build_time);

/// Takes out what only those need who develop.
void leave_out_development(Development const& development, device::InitConfig& init);
void leave_out_development(Development const& development, device::DeviceConfig& device);

/// What sinewd needs to know about the target; the caller fills in product, version and application.
[[nodiscard]] device::DeviceConfig device_config(Description const& description);

} // namespace sinew::system
