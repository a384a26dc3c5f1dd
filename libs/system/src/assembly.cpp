/// The assembly's steps.
#include "assembly.hpp"

#include "elf_closure.hpp"
#include "module_order.hpp"
#include "tree.hpp"

#include <sinew/base/command.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kernel_prefix = "vmlinuz-";

Result<> make_folders(fs::path const& path) {
    std::error_code error;
    fs::create_directories(path, error);
    return error ? Result<>(std::unexpected(error_from_code(error, path.string()))) : Result<>();
}

/// The one kernel in boot/.
Result<std::string> find_kernel_release(fs::path const& packages) {
    std::vector<std::string> releases;
    std::error_code error;
    for (auto const& entry : fs::directory_iterator(packages / "boot", error)) {
        auto const name = entry.path().filename().string();
        if (name.starts_with(kernel_prefix)) {
            releases.push_back(name.substr(kernel_prefix.size()));
        }
    }
    if (releases.size() != 1) {
        return failure(
            ErrorCode::not_found,
            fmt::format("{} kernels are among the packages; packages.build needs exactly one, such as "
                        "linux-image-amd64",
                        releases.size()));
    }
    return releases.front();
}

Result<> copy_modules(ModuleFolder& catalogue, std::vector<std::string> const& names,
                      std::function<fs::path(fs::path const&)> const& place) {
    for (auto const& name : names) {
        TRY(auto const info, catalogue.find(module_key(name)));
        auto const to = place(info.file);
        TRY_OK(make_folders(to.parent_path()));
        std::error_code error;
        fs::copy_file(info.file, to, fs::copy_options::overwrite_existing, error);
        if (error) {
            return std::unexpected(error_from_code(error, to.string()));
        }
    }
    return {};
}

} // namespace

Result<> unpack_packages(std::vector<fs::path> const& packages, fs::path const& tree,
                         std::function<void(std::size_t)> const& on_package) {
    TRY_OK(make_folders(tree));
    for (std::size_t i = 0; i < packages.size(); ++i) {
        on_package(i);
        TRY_OK(run_checked({"dpkg-deb", "--extract", packages[i].string(), tree.string()}));
    }
    return merge_usr(tree);
}

Result<KernelParts> extract_kernel(Description const& description, fs::path const& packages,
                                   fs::path const& output, fs::path const& device_tree) {
    KernelParts parts;
    TRY(parts.release, find_kernel_release(packages));
    auto const folder = packages / "usr/lib/modules" / parts.release;
    TRY(auto catalogue, ModuleFolder::open(folder));
    TRY(parts.modules,
        order_modules(catalogue, description.kernel.early_modules, description.kernel.modules));
    TRY_OK(make_folders(output / "early_modules"));
    TRY_OK(copy_modules(catalogue, parts.modules.early,
                        [&](fs::path const& file) { return output / "early_modules" / file.filename(); }));
    auto const late_folder = device_tree / "usr/lib/modules" / parts.release;
    TRY_OK(make_folders(late_folder));
    TRY_OK(copy_modules(catalogue, parts.modules.late,
                        [&](fs::path const& file) { return late_folder / file.lexically_relative(folder); }));
    std::error_code error;
    fs::copy_file(packages / "boot" / (std::string(kernel_prefix) + parts.release), output / "vmlinuz",
                  error);
    if (error) {
        return std::unexpected(error_from_code(error, "copying the kernel"));
    }
    return parts;
}

Result<> make_base_tree(Description const& description, fs::path const& packages,
                        fs::path const& device_tree) {
    auto const& rootfs = description.rootfs;
    for (auto const* folder : {"usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc/sinew/keys"}) {
        TRY_OK(make_folders(device_tree / folder));
    }
    for (auto const& folder : rootfs.directories) {
        TRY_OK(make_folders(device_tree / fs::path(folder).relative_path()));
    }
    std::error_code error;
    auto const link = [&](fs::path const& place, fs::path const& target) -> Result<> {
        TRY_OK(make_folders(place.parent_path()));
        fs::create_symlink(target, place, error);
        return error ? Result<>(std::unexpected(error_from_code(error, place.string()))) : Result<>();
    };
    for (auto const& [place, target] : rootfs.links) {
        TRY_OK(link(device_tree / fs::path(place).relative_path(), target));
    }
    for (auto const& [package, files] : description.packages.device) {
        for (auto const& file : files) {
            if (auto copied = copy_with_links(packages, device_tree, file); !copied) {
                return std::unexpected(std::move(copied).error().with_context("packages.device." + package));
            }
        }
    }
    for (auto const& applet : rootfs.applets) {
        auto const place = device_tree / fs::path(applet).relative_path();
        TRY_OK(link(
            place,
            fs::path("/usr/bin/busybox").lexically_relative(fs::path("/") / fs::path(applet).parent_path())));
    }
    return complete_libraries(
        {.tree = device_tree, .source = packages, .gnu_triplet = description.gnu_triplet});
}

Result<> make_sysroot(fs::path const& packages) {
    for (auto const* useless :
         {"boot", "etc", "usr/bin", "usr/games", "usr/lib/grub", "usr/lib/modules", "usr/sbin", "var"}) {
        TRY_OK(remove_tree(packages / useless));
    }
    // Of what doesn't depend on the architecture only the build's own descriptions of packages are of use.
    std::error_code none;
    std::vector<fs::path> shared;
    for (auto const& entry : fs::directory_iterator(packages / "usr" / "share", none)) {
        if (entry.path().filename() != "cmake" && entry.path().filename() != "pkgconfig") {
            shared.push_back(entry.path());
        }
    }
    for (auto const& path : shared) {
        TRY_OK(remove_tree(path));
    }
    return make_links_relative(packages);
}

std::string toolchain_file(Description const& description, fs::path const& sysroot) {
    auto const& triplet = description.gnu_triplet;
    auto const processor = triplet.substr(0, triplet.find('-'));
    return fmt::format(
        R"CMAKE(# Cross compiles for the target {name}: Debian's GCC 12 against exactly the packages of system.lock.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_C_COMPILER {triplet}-gcc-12)
set(CMAKE_CXX_COMPILER {triplet}-g++-12)
set(CMAKE_LIBRARY_ARCHITECTURE {triplet})
set(SINEW_TARGET {name})
set(SINEW_SYSROOT "{sysroot}")
set(CMAKE_SYSROOT "${{SINEW_SYSROOT}}")
# The compiler's own start files and libraries come from the sysroot as well.
foreach(language C CXX)
    set(CMAKE_${{language}}_FLAGS_INIT "-B${{SINEW_SYSROOT}}/usr/lib/gcc/{triplet}/12")
endforeach()
set(CMAKE_FIND_ROOT_PATH "${{SINEW_SYSROOT}}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{{PKG_CONFIG_SYSROOT_DIR}} "${{SINEW_SYSROOT}}")
set(ENV{{PKG_CONFIG_LIBDIR}} "${{SINEW_SYSROOT}}/usr/lib/{triplet}/pkgconfig")
set(ENV{{PKG_CONFIG_PATH}} "")
)CMAKE",
        fmt::arg("name", description.name), fmt::arg("processor", processor), fmt::arg("triplet", triplet),
        fmt::arg("sysroot", sysroot.string()));
}

} // namespace sinew::system
