/// Parts of Sinew that are built once for all projects: the libraries of applications, the programs of
/// devices.
///
/// Invariant: the folder of a part is named by the hash of all that went into it, appears whole or not at
/// all, and is never changed afterwards. One thread; of several processes that want the same part one builds
/// it, while the others say whom they wait for. Blocks for minutes the first time, for a moment afterwards.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/tooling/cmake_build.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::tooling {

class Context;

/// As cmake/SinewPrebuilt.cmake installs them.
enum class PartKind : std::uint8_t {
    programs,  ///< What every device runs, in bin/.
    libraries, ///< What an application links: pass the folder as SINEW_PREBUILT.
};

struct Part {
    PartKind kind = PartKind::libraries;
    /// What it is built for, e.g. "x86_64" or "host-thread"; with the kind it names the folders in the cache.
    std::string name;
    /// For progress, e.g. "Sinew's libraries for x86_64".
    std::string label;
    /// What the build is configured with.
    CmakeVariables variables;
    /// The compiler's driver; another compiler makes another part.
    std::filesystem::path compiler;
    /// Another build folder in which the same has been made already, if there is one. Asked before building.
    std::function<std::optional<std::filesystem::path>()> find_made = {};
};

/// The folder of a part, which is built if the cache doesn't have it. At most three versions of a part are
/// kept, and the folder it is built in, so that a change in Sinew's sources compiles what depends on it only.
/// Errors: those of build_with_cmake(); io: the cache can't be written.
[[nodiscard]] Result<std::filesystem::path> prebuilt_part(Context const& context, Part const& part);

/// Removes all but the `keep` folders in `folder` whose names start with `prefix` that were used last.
void remove_oldest(std::filesystem::path const& folder, std::string_view prefix, std::size_t keep);

} // namespace sinew::tooling
