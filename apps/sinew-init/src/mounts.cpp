/// Implements the mount table.
///
/// Invariant: a mount that fails is logged and passed over; whoever needs it fails by itself.
#include "mounts.hpp"

#include "log.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::init {
namespace {

constexpr unsigned long no_devices = MS_NOSUID | MS_NODEV;
constexpr unsigned long data_only = MS_NOSUID | MS_NODEV | MS_NOEXEC;

void mount_each(std::vector<Mount> const& mounts, Log& log) {
    for (auto const& mount : mounts) {
        if (auto result = mount_file_system(mount); !result) {
            log.warning(result.error().message());
        }
    }
}

/// Stage one has moved these here, and mounting them once more would hide the first ones.
bool is_mount_point(std::string const& path) {
    struct stat here{};
    struct stat above{};
    return ::stat(path.c_str(), &here) == 0 && ::stat("/", &above) == 0 && here.st_dev != above.st_dev;
}

std::string_view take_word(std::string_view& line) {
    auto const end = std::min(line.find(' '), line.size());
    auto const word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

bool belongs_to_kernel(std::string_view type) {
    static constexpr std::array<std::string_view, 8> types{"proc",   "sysfs",  "devtmpfs",   "devpts",
                                                           "pstore", "rootfs", "securityfs", "debugfs"};
    return std::ranges::find(types, type) != types.end();
}

} // namespace

Result<> mount_file_system(Mount const& mount) {
    (void)::mkdir(mount.target.c_str(),
                  0755); // On a read-only root it is there already, or mount(2) says it isn't.
    auto const* options = mount.options.empty() ? nullptr : mount.options.c_str();
    if (::mount(mount.source.c_str(), mount.target.c_str(), mount.type.c_str(), mount.flags, options) != 0 &&
        errno != EBUSY) {
        return std::unexpected(error_from_errno(errno, "can't mount " + mount.source + " (" + mount.type +
                                                           ") on " + mount.target));
    }
    return {};
}

void mount_kernel_file_systems(Log& log) {
    std::vector<Mount> mounts{{"devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"},
                              {"proc", "/proc", "proc", data_only, ""},
                              {"sysfs", "/sys", "sysfs", data_only, ""}};
    std::erase_if(mounts, [](Mount const& mount) { return is_mount_point(mount.target); });
    mount_each(mounts, log);
}

void mount_temporary_file_systems(Log& log) {
    mount_each({{"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"},
                {"tmpfs", "/dev/shm", "tmpfs", data_only, "mode=1777,size=10%"},
                {"tmpfs", "/run", "tmpfs", data_only, "mode=0755,size=5%"},
                {"tmpfs", "/tmp", "tmpfs", no_devices, "mode=1777,size=10%"},
                {"pstore", "/sys/fs/pstore", "pstore", data_only, ""}},
               log);
}

std::vector<std::string> targets_to_unmount(std::string_view proc_mounts) {
    std::vector<std::string> targets;
    while (!proc_mounts.empty()) {
        auto const end = std::min(proc_mounts.find('\n'), proc_mounts.size());
        auto line = proc_mounts.substr(0, end);
        proc_mounts.remove_prefix(std::min(end + 1, proc_mounts.size()));
        (void)take_word(line);
        auto const target = unescape_octal(take_word(line));
        if (!target.empty() && target != "/" && !belongs_to_kernel(take_word(line))) {
            targets.push_back(target);
        }
    }
    std::ranges::reverse(targets);
    return targets;
}

void unmount_all(Log& log) {
    auto const table = read_text_file("/proc/mounts");
    if (!table) {
        log.warning("can't unmount: " + table.error().message());
        return;
    }
    for (auto const& target : targets_to_unmount(*table)) {
        if (::umount2(target.c_str(), 0) == 0) {
            continue;
        }
        if (::mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
            log.warning(error_from_errno(errno, "can't unmount " + target).message());
        }
    }
}

} // namespace sinew::init
