/// Tells /dev/null from other files. Threading: a free function.
#pragma once

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace sinew::firmware {

/// Whether a file is /dev/null, by whatever name: an empty file to read, and a disk that holds nothing.
[[nodiscard]] inline bool is_null_device(struct stat const& status) {
    constexpr unsigned memory_devices = 1;
    constexpr unsigned null = 3;
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(memory_devices, null);
}

} // namespace sinew::firmware
