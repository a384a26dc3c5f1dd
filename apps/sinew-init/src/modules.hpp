/// Loads kernel modules in the order of the configuration.
///
/// Invariant: the order is the caller's; dependencies are resolved when the firmware is built, not at boot.
/// Threading: one thread; loading blocks until the module's own start is done.
#pragma once

#include "log.hpp"

#include <sinew/base/result.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::init {

/// A name as the kernel compares it: '-' as '_'.
[[nodiscard]] std::string module_key(std::string_view name);

/// Every module file (.ko, or .ko.xz, .ko.zst, .ko.gz) anywhere below `folder`, by module_key(). Missing
/// folder: empty.
[[nodiscard]] std::map<std::string, std::filesystem::path> index_modules(std::filesystem::path const& folder);

/// finit_module(2). A module that is loaded already is no failure. Errors: not_found, denied,
/// invalid_argument (made for another kernel).
[[nodiscard]] Result<> load_module(std::filesystem::path const& file, std::string const& parameters);

/// Loads `names` from below `folder`, with the parameters that the kernel command line has for them. What
/// fails is logged and passed over: a device without a sensor's driver is better than none. Returns how many
/// are loaded.
int load_modules(std::vector<std::string> const& names, std::filesystem::path const& folder,
                 std::string_view kernel_command_line, Log& log);

} // namespace sinew::init
