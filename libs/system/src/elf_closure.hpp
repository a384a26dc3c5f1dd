/// Which libraries a tree of programs needs, and from where they come.
///
/// Invariant: a library is taken from the device's tree if it is there already, else from the system's
/// packages.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

struct ClosureOptions {
    /// The tree that goes onto the device.
    std::filesystem::path tree{};
    /// Where missing libraries are looked for: unpacked packages with the same folders.
    std::filesystem::path source{};
    std::string gnu_triplet{};
};

/// Finds every ELF file in the tree, checks that it is for the target, and copies in the libraries they need,
/// and what these need, following links. Errors: invalid_argument: a program for another machine; not_found:
/// a library is nowhere, with who needs it; corrupt.
[[nodiscard]] Result<> complete_libraries(ClosureOptions const& options);

} // namespace sinew::system
