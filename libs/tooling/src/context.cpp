// Context and Paths. See context.hpp.
#include <sinew/tooling/context.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

bool is_sinew_tree(fs::path const& folder) {
    std::error_code ignored;
    return fs::exists(folder / "cmake" / "SinewApplication.cmake", ignored) &&
           fs::is_directory(folder / "templates", ignored);
}

fs::path find_root() {
    if (std::string const named = environment("SINEW_ROOT"); !named.empty()) {
        return fs::absolute(named).lexically_normal();
    }
    std::error_code problem;
    fs::path const program = fs::read_symlink("/proc/self/exe", problem);
    for (fs::path folder = program.parent_path(); !problem && folder != folder.root_path();
         folder = folder.parent_path()) {
        if (is_sinew_tree(folder)) {
            return folder;
        }
        if (is_sinew_tree(folder / "share" / "sinew")) {
            return folder / "share" / "sinew";
        }
    }
    return {};
}

fs::path from_environment_or_home(char const* own, char const* xdg, char const* below_home) {
    if (std::string const named = environment(own); !named.empty()) {
        return fs::absolute(named).lexically_normal();
    }
    if (std::string const base = environment(xdg); !base.empty()) {
        return fs::path(base) / "sinew";
    }
    std::string const home = environment("HOME");
    return fs::path(home.empty() ? "/root" : home) / below_home / "sinew";
}

} // namespace

std::string environment(char const* name) {
    // The tool never changes its own environment, and runs its commands on the main thread.
    char const* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::string() : std::string(value);
}

Paths Paths::discover() {
    return {.root = find_root(),
            .home = from_environment_or_home("SINEW_HOME", "XDG_CONFIG_HOME", ".config"),
            .cache = from_environment_or_home("SINEW_CACHE", "XDG_CACHE_HOME", ".cache")};
}

Result<fs::path> Context::root() const {
    if (m_paths.root.empty()) {
        return failure(ErrorCode::not_found,
                       "Sinew's source tree was not found beside this program; set SINEW_ROOT to "
                       "the folder that holds its cmake/, libs/ and templates/");
    }
    if (!is_sinew_tree(m_paths.root)) {
        return failure(
            ErrorCode::not_found,
            fmt::format("{} is not Sinew's source tree (no cmake/SinewApplication.cmake or templates/ in "
                        "it); set SINEW_ROOT to the right folder or unset it",
                        m_paths.root.string()));
    }
    return m_paths.root;
}

Result<std::vector<std::string>> Context::targets() const {
    TRY(auto const tree, root());
    std::vector<std::string> names;
    std::error_code problem;
    for (fs::directory_entry const& entry : fs::directory_iterator(tree / "systems", problem)) {
        if (fs::exists(entry.path() / "system.toml")) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

Result<> Context::check_target(std::string const& target) const {
    TRY(auto const known, targets());
    if (std::ranges::find(known, target) != known.end()) {
        return {};
    }
    return failure(ErrorCode::invalid_argument,
                   fmt::format("unknown target '{}'; known targets: {}", target, join(known)));
}

} // namespace sinew::tooling
