/// Whether the build that this tool comes from made a device's programs already.
///
/// The preset "tool" compiles them with the flags of a device. They are the same programs that a build for
/// the target would make when compiler, flags, preprocessed sources and every static library are the same, byte for
/// byte. Reads some thousand small files, and preprocesses what includes a header that differs. One thread.
#pragma once

#include <sinew/tooling/cmake_build.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::tooling {

class Console;

struct DeviceBuild {
    /// Sinew's tree, the target's headers and libraries, and its compiler.
    std::filesystem::path root;
    std::filesystem::path sysroot;
    std::filesystem::path compiler;
    /// What a build for the target is configured with; its toolchain file aside these must be equal.
    CmakeVariables variables;
};

/// `build_folder`, if its target sinew_programs is up to date and equal to what `wanted` would make; says with
/// --verbose why not.
[[nodiscard]] std::optional<std::filesystem::path>
find_equal_build(Console& console, std::filesystem::path const& build_folder, DeviceBuild const& wanted);

/// The build folder of the running program: where its bin/ lies.
[[nodiscard]] std::filesystem::path own_build_folder();

/// NAME -> value of a CMakeCache.txt.
[[nodiscard]] std::map<std::string, std::string> parse_cmake_cache(std::string_view text);

/// The headers outside of the build in `ninja -t deps`, each with the objects that include it; without objects below
/// one of `ignored` (beginnings of paths).
[[nodiscard]] std::map<std::string, std::vector<std::string>>
parse_dependencies(std::string_view text, std::vector<std::string> const& ignored);

} // namespace sinew::tooling
