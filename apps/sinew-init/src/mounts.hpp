/// The mount table of a device, and its undoing.
///
/// Invariant: mounting what is mounted already is no failure, so that stage two may run with or without stage
/// one. Threading: one thread.
#pragma once

#include "log.hpp"

#include <sinew/base/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sinew::init {

struct Mount {
    std::string source;
    std::string target;
    std::string type;
    /// MS_... of mount(2).
    unsigned long flags = 0;
    std::string options;
};

/// Makes the folder where it is missing, and mounts. Error: names target and cause.
[[nodiscard]] Result<> mount_file_system(Mount const& mount);

/// /proc, /sys and /dev: what everything else needs.
void mount_kernel_file_systems(Log& log);

/// /dev/pts, /dev/shm, /run, /tmp (in memory, limited to a part of it) and the kernel's crash store.
void mount_temporary_file_systems(Log& log);

/// The targets in the text of /proc/mounts in the order to unmount them: last mounted first, without the root
/// and what the kernel itself provides. Octal escapes are undone.
[[nodiscard]] std::vector<std::string> targets_to_unmount(std::string_view proc_mounts);

/// Unmounts all of those; what is busy is made read-only instead, so that its file system is whole.
void unmount_all(Log& log);

} // namespace sinew::init
