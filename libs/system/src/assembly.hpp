/// The steps from unpacked packages to the parts of a system.
///
/// Invariant: each step reads the package tree and writes only below its own output.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

/// Unpacks packages one over the other and merges bin, sbin and lib into usr.
[[nodiscard]] Result<> unpack_packages(std::vector<std::filesystem::path> const& packages,
                                       std::filesystem::path const& tree,
                                       std::function<void(std::size_t)> const& on_package);

/// Kernel and modules, as found in the package tree.
struct KernelParts {
    std::string release{};
    ModuleOrder modules;
};
/// Copies vmlinuz to `output`/vmlinuz, early modules into `output`/early_modules and late ones into the
/// device tree. Errors: not_found: no kernel (or more than one) among the packages, or a module.
[[nodiscard]] Result<KernelParts> extract_kernel(Description const& description,
                                                 std::filesystem::path const& packages,
                                                 std::filesystem::path const& output,
                                                 std::filesystem::path const& device_tree);

/// Folders, links, programs and busybox's commands of the root file system, and the libraries they need.
[[nodiscard]] Result<> make_base_tree(Description const& description, std::filesystem::path const& packages,
                                      std::filesystem::path const& device_tree);

/// Removes from the package tree what isn't needed to compile, and makes it independent of where it lies.
[[nodiscard]] Result<> make_sysroot(std::filesystem::path const& packages);

/// A CMake toolchain file for that sysroot.
[[nodiscard]] std::string toolchain_file(Description const& description,
                                         std::filesystem::path const& sysroot);

} // namespace sinew::system
