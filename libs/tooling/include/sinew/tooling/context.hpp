/// Context: what every command is given: where to talk, and where Sinew, its cache and the user's keys are.
#pragma once

#include <sinew/base/text.hpp>
#include <sinew/tooling/console.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace sinew::tooling {

struct Paths {
    /// Sinew's source tree: cmake/, libs/, systems/, templates/.
    std::filesystem::path root;
    /// The user's keys: $SINEW_HOME, else ~/.config/sinew.
    std::filesystem::path home;
    /// What can be made again: $SINEW_CACHE, else $XDG_CACHE_HOME/sinew, else ~/.cache/sinew.
    std::filesystem::path cache;

    /// Reads the environment; without SINEW_ROOT the tree is searched upwards from the running program, so
    /// build/<preset>/bin/sinew finds the tree it was built from. `root` stays empty when there is none.
    [[nodiscard]] static Paths discover();
};

class Context {
public:
    Context(Console& console, Paths paths)
        : m_console(console)
        , m_paths(std::move(paths)) {}

    [[nodiscard]] Console& console() const noexcept { return m_console; }
    [[nodiscard]] Paths const& paths() const noexcept { return m_paths; }
    /// Sinew's source tree. Error not_found says how to name it.
    [[nodiscard]] Result<std::filesystem::path> root() const;
    /// The targets there are: the folders of systems/ that hold a system.toml, sorted.
    [[nodiscard]] Result<std::vector<std::string>> targets() const;
    /// Error invalid_argument lists the known targets when `target` isn't one.
    [[nodiscard]] Result<> check_target(std::string const& target) const;

private:
    Console& m_console;
    Paths m_paths;
};

/// The environment variable `name`, or empty.
[[nodiscard]] std::string environment(char const* name);
} // namespace sinew::tooling
