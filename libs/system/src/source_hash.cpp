/// hash_of_sources(): the files in the order of their names.
#include "sha256.hpp"
#include "tree.hpp"

#include <sinew/base/result.hpp>
#include <sinew/system/source_hash.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

/// Libraries that are added go in by themselves: too much costs a rebuild, too little a wrong program.
constexpr std::array<std::string_view, 3> tool_only = {"libs/system", "libs/tooling", "apps/sinew"};
constexpr std::array<std::string_view, 4> never_built = {"test", "bench", "fuzz", "corpus"};

bool is_left_out(fs::path const& path, fs::path const& below_root) {
    std::string const name = path.filename().string();
    return name.starts_with('.') || name.ends_with(".md") ||
           std::ranges::find(never_built, name) != never_built.end() ||
           std::ranges::find(tool_only, below_root.string()) != tool_only.end();
}

Result<> add_folder(fs::path const& root, fs::path const& folder, std::vector<fs::path>& files) {
    std::error_code problem;
    fs::recursive_directory_iterator at(root / folder, problem);
    for (; !problem && at != fs::recursive_directory_iterator(); at.increment(problem)) {
        fs::path const below_root = at->path().lexically_relative(root);
        if (is_left_out(at->path(), below_root)) {
            at.disable_recursion_pending();
        } else if (at->is_regular_file(problem)) {
            files.push_back(below_root);
        }
    }
    return problem ? Result<>(std::unexpected(error_from_code(problem, (root / folder).string())))
                   : Result<>();
}

} // namespace

Result<std::string> hash_of_sources(fs::path const& root) {
    std::vector<fs::path> files = {"CMakeLists.txt"};
    for (auto const* folder : {"cmake", "libs", "apps"}) {
        TRY_OK(add_folder(root, folder, files));
    }
    std::ranges::sort(files);
    std::string all;
    for (fs::path const& file : files) {
        TRY(auto const hash, sha256_file(root / file));
        all += hash + ' ' + file.string() + '\n';
    }
    return sha256_text(all);
}

std::string hash_of_text(std::string_view text) {
    return sha256_text(text);
}

} // namespace sinew::system
