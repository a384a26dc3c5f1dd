/// Implements check_image.hpp.
#include "check_image.hpp"

#include "module_order.hpp"
#include "tree.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/config.hpp>
#include <sinew/system/device_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

// What PID 1 gives to those it starts.
constexpr std::string_view search_path = "usr/sbin:usr/bin:sbin:bin";

bool is_made_at_run_time(std::string_view path) {
    return path.starts_with("/data/") || path.starts_with("/run/") || path.starts_with("/tmp/");
}

bool has_program(fs::path const& tree, std::string_view program) {
    if (program.contains('/')) {
        return is_made_at_run_time(program) || exists_in(tree, fs::path(program).relative_path());
    }
    return std::ranges::any_of(split(search_path, ':'), [&](std::string_view folder) {
        return exists_in(tree, fs::path(folder) / program);
    });
}

Result<> check_program(fs::path const& tree, std::vector<std::string> const& command,
                       std::string_view setting) {
    if (command.empty() || has_program(tree, command.front())) {
        return {};
    }
    return failure(ErrorCode::not_found,
                   fmt::format("sinew.toml: {}: '{}' is not in the firmware", setting, command.front()));
}

Result<> check_modules(fs::path const& tree, ModuleOrder const& all, device::InitConfig const& init) {
    std::set<std::string> early;
    for (auto const& name : all.early) {
        early.insert(module_key(name));
    }
    for (auto const& name : init.early_modules) {
        if (!early.contains(module_key(name))) {
            return failure(
                ErrorCode::not_found,
                fmt::format("sinew.toml: init.early_modules: '{}' is not in the initramfs, which has {}",
                            name, join(all.early)));
        }
    }
    std::set<std::string> late;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(tree / "usr/lib/modules", error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() == ".ko") {
            late.insert(module_key(entry->path().stem().string()));
        }
    }
    for (auto const& name : init.modules) {
        if (!late.contains(module_key(name))) {
            return failure(ErrorCode::not_found,
                           fmt::format("sinew.toml: init.modules: '{}' is not in the firmware", name));
        }
    }
    return {};
}

/// A list that replaces the system's must not take away what mounts the file systems.
Result<> check_file_systems(ModuleOrder const& all, device::InitConfig const& init) {
    auto const has = [](std::vector<std::string> const& names, std::string const& name) {
        return std::ranges::find(names, name) != names.end();
    };
    auto const is_left_out = [&](std::string const& name) {
        return (has(all.early, name) || has(all.late, name)) && !has(init.early_modules, name) &&
               !has(init.modules, name);
    };
    if (is_left_out(init.rootfs_type) ||
        (has(all.early, init.rootfs_type) && !has(init.early_modules, init.rootfs_type))) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("sinew.toml: init.early_modules leaves out '{}', without which there is no root file "
                        "system",
                        init.rootfs_type));
    }
    if (is_left_out(init.data_type)) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("sinew.toml: init.modules leaves out '{}', without which there is no {}",
                                   init.data_type, init.data_path));
    }
    return {};
}

} // namespace

Result<> check_image(fs::path const& tree, ModuleOrder const& modules, device::InitConfig const& init,
                     device::DeviceConfig const& device) {
    TRY_OK(check_program(tree, init.command, "init.command"));
    TRY_OK(check_program(tree, device.application.command, "device.application.command"));
    for (auto const& service : device.services) {
        TRY_OK(check_program(tree, service.command, "device.services." + service.name + ".command"));
    }
    if (!is_made_at_run_time(device.operations_archive) &&
        !exists_in(tree, fs::path(device.operations_archive).relative_path())) {
        return failure(
            ErrorCode::not_found,
            fmt::format("sinew.toml: device.operations_archive: '{}' is not in the firmware, which could "
                        "never be validated",
                        device.operations_archive));
    }
    TRY_OK(check_modules(tree, modules, init));
    return check_file_systems(modules, init);
}

} // namespace sinew::system
