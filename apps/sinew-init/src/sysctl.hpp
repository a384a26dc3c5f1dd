/// The kernel's settings: lines "net.ipv4.conf.*.accept_redirects = 0" of /etc/sysctl.conf (sysctl.conf(5)).
///
/// Invariant: nothing outside the folder of settings is written, whatever the file says.
/// Threading: free functions; one thread.
#pragma once

#include "log.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::init {

struct KernelSetting {
    /// Relative to /proc/sys; a part may be "*".
    std::filesystem::path path;
    std::string value;
    friend bool operator==(KernelSetting const&, KernelSetting const&) = default;
};

/// The settings in the order of the text. Comments, empty lines and lines that are no settings are left out.
[[nodiscard]] std::vector<KernelSetting> parse_kernel_settings(std::string_view text);

/// Writes each below `folder`. One that this kernel doesn't have is passed over, one that it refuses is logged.
void apply_kernel_settings(std::vector<KernelSetting> const& settings, std::filesystem::path const& folder,
                           Log& log);

} // namespace sinew::init
