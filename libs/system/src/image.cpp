/// Making the images.
#include "image.hpp"

#include "cpio.hpp"
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

/// A file system's identity must not differ between builds; the device never looks at it.
constexpr char const* fixed_uuid = "00000000-0000-4000-8000-000000000000";
/// Measured on blinky: 128K with 14 is 4 % smaller than with 9; 256K with 15 saves 2 % more for half as much
/// time again.
constexpr char const* squashfs_block = "128K";
constexpr char const* squashfs_level = "14";

std::vector<std::string> squashfs_command(fs::path const& tree, std::string const& time,
                                          fs::path const& output) {
    // mksquashfs refuses its time options when SOURCE_DATE_EPOCH is set.
    return {"env",
            "-u",
            "SOURCE_DATE_EPOCH",
            "mksquashfs",
            tree.string(),
            output.string(),
            "-noappend",
            "-quiet",
            "-no-progress",
            "-no-xattrs",
            "-all-root",
            "-comp",
            "zstd",
            "-Xcompression-level",
            squashfs_level,
            "-b",
            squashfs_block,
            "-mkfs-time",
            time,
            "-all-time",
            time};
}

std::vector<std::string> erofs_command(fs::path const& tree, std::string const& time,
                                       fs::path const& output) {
    return {"mkfs.erofs",
            "--quiet",
            "-zlz4hc,12",
            "-C65536",
            "-x-1",
            "-T" + time,
            std::string("-U") + fixed_uuid,
            "--all-root",
            output.string(),
            tree.string()};
}

} // namespace

Result<> write_initramfs(InitramfsParts const& parts, fs::path const& output) {
    auto const time = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(parts.build_time, 0, std::numeric_limits<std::uint32_t>::max()));
    CpioArchive archive(time);
    for (auto const* folder : {"dev", "newroot", "proc", "run", "sys", "tmp"}) {
        archive.add_folder(folder, 0755);
    }
    archive.add_device("dev/console", 0600, 5,
                       1); // where the kernel opens standard output before /dev is mounted
    archive.add_device("dev/kmsg", 0600, 1, 11);
    archive.add_device("dev/null", 0666, 1, 3);
    archive.add_file("init", parts.init, 0755);
    archive.add_file("etc/sinew/init.toml", as_bytes(parts.init_config), 0644);
    for (auto const& module : parts.modules) {
        TRY(auto const bytes, read_file(module));
        archive.add_file("lib/modules/" + module.filename().string(), bytes, 0644);
    }
    auto plain = output;
    plain += ".cpio";
    TRY_OK(write_file_atomically(plain, std::move(archive).finish()));
    TRY_OK(run_checked({"zstd", "-q", "-f", "-19", "--no-progress", "-o", output.string(), plain.string()}));
    return remove_tree(plain);
}

Result<> write_rootfs_image(fs::path const& tree, RootfsFormat format, std::int64_t build_time,
                            fs::path const& output) {
    auto const time = std::to_string(build_time);
    TRY_OK(remove_tree(output));
    auto made = run_checked(format == RootfsFormat::squashfs ? squashfs_command(tree, time, output)
                                                             : erofs_command(tree, time, output));
    if (!made) {
        return std::unexpected(std::move(made).error().with_context("making the root file system"));
    }
    return {};
}

} // namespace sinew::system
