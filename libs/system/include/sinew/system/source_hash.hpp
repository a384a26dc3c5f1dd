/// The hash of Sinew's own sources, as far as they go into what a device or an application is made of.
///
/// Blocks for about 20 ms; safe from any thread.
#pragma once

#include <sinew/base/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace sinew::system {

/// SHA-256 of names and contents below `root`: the build scripts, libraries and programs, without tests,
/// benchmarks, fuzz targets and texts, and without what only runs on a developer's machine (libs/system,
/// libs/tooling, apps/sinew). Errors: those of reading files.
[[nodiscard]] Result<std::string> hash_of_sources(std::filesystem::path const& root);

/// SHA-256 of a text: 64 lower-case hexadecimal digits.
[[nodiscard]] std::string hash_of_text(std::string_view text);

} // namespace sinew::system
