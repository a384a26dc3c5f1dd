/// Builds a CMake tree with Ninja: configures when needed, shows progress, and quotes the compiler when it
/// fails.
///
/// Invariant: a tree is configured anew whenever its variables differ from those it was configured with.
/// One thread. Blocks until the build is through, however long it takes.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::tooling {

class Console;

/// -DNAME=VALUE.
using CmakeVariables = std::vector<std::pair<std::string, std::string>>;

struct CmakeBuild {
    std::filesystem::path source;
    std::filesystem::path folder;
    CmakeVariables variables;
    /// Empty: the default target.
    std::vector<std::string> targets;
    /// What the progress bar calls it, e.g. "building blinky for x86_64".
    std::string label;
};

/// Errors: not_found: cmake or ninja is missing; invalid_argument: the build failed (what the compiler said
/// has been printed).
[[nodiscard]] Result<> build_with_cmake(Console& console, CmakeBuild const& build);

struct BuildStep {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};
/// Reads Ninja's "[12/80] Building ..." line.
[[nodiscard]] std::optional<BuildStep> parse_build_step(std::string_view line);

} // namespace sinew::tooling
