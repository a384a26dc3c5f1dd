/// init.toml and device.toml from a description.
///
/// Invariant: nothing here is decided twice; every value is the description's or computed from its layout.
#include "module_order.hpp"

#include <sinew/device/config.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>
#include <sinew/system/layout.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace sinew::system {

void leave_out_development(Development const& development, device::InitConfig& init) {
    std::erase_if(init.modules, [&](std::string const& module) {
        return std::ranges::find(development.modules, module_key(module), module_key) !=
               development.modules.end();
    });
}

void leave_out_development(Development const& development, device::DeviceConfig& device) {
    std::erase_if(device.services, [&](device::Service const& service) {
        return std::ranges::find(development.services, service.name) != development.services.end();
    });
}

device::InitConfig init_config(Description const& description, Layout const& layout,
                               ModuleOrder const& modules, std::int64_t build_time) {
    device::InitConfig config;
    config.disk_signature = description.disk.signature;
    for (auto const& partition : layout.partitions) {
        config.partitions[partition.name] = partition.number;
        config.partition_places[partition.name] = {
            .first_block = static_cast<std::int64_t>(partition.block_offset),
            .block_count = partition.expand ? 0 : static_cast<std::int64_t>(partition.block_count)};
    }
    config.rootfs_type = description.rootfs.format == RootfsFormat::squashfs ? "squashfs" : "erofs";
    config.early_modules = modules.early;
    config.modules = modules.late;
    config.watchdog = description.watchdog;
    config.build_time = build_time;
    return config;
}

device::DeviceConfig device_config(Description const& description) {
    device::DeviceConfig config;
    config.platform = description.name;
    config.services = description.services;
    config.watchdog = description.watchdog;
    config.network = description.network;
    config.environment = {.block = description.environment.block,
                          .block_count = description.environment.block_count,
                          .redundant_block = description.environment.redundant_block};
    config.boot_blocks = {.state = description.bootloader.state_block,
                          .state_copy = description.bootloader.state_copy_block,
                          .counters = description.bootloader.tried_block};
    return config;
}

} // namespace sinew::system
