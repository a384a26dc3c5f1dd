/// What this machine needs to build, emulate and update, and which Debian package brings it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::tooling {

enum class Necessity : std::uint8_t {
    needed, ///< Something `sinew` does fails without it.
    useful, ///< Things are slower or less comfortable without it.
};

struct Requirement {
    /// A program in PATH, or, when it begins with '/', a file.
    std::string probe;
    /// The Debian 12 package that brings it.
    std::string package;
    /// What it is for, e.g. "sinew emulate".
    std::string used_for;
    Necessity necessity = Necessity::needed;
};

struct Finding {
    Requirement requirement;
    bool present = false;
};

/// Everything `sinew` uses on the host.
[[nodiscard]] std::vector<Requirement> requirements();

/// Looks for each; `present` answers whether a probe is there (the machine's own answer by default).
[[nodiscard]] std::vector<Finding> examine(std::vector<Requirement> const& wanted,
                                           std::function<bool(std::string const&)> const& present);

/// The one command that installs what is missing of `needed` (and `useful`) things; nothing when nothing is.
[[nodiscard]] std::optional<std::string> install_command(std::vector<Finding> const& findings, bool as_root);

} // namespace sinew::tooling
