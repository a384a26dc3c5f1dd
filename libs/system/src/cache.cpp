/// The cache on disk.
#include "cache.hpp"

#include "sha256.hpp"
#include "tree.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/lock.hpp>
#include <sinew/system/named_lock.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view part_mark = ".part-";

std::string environment(char const* name) {
    char const* const value =
        ::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it while a build runs
    return value == nullptr ? "" : value;
}

} // namespace

Result<Cache> Cache::open(fs::path const& folder) {
    auto chosen = folder;
    if (chosen.empty()) {
        chosen = environment("SINEW_CACHE");
    }
    if (chosen.empty() && !environment("XDG_CACHE_HOME").empty()) {
        chosen = fs::path(environment("XDG_CACHE_HOME")) / "sinew";
    }
    if (chosen.empty() && !environment("HOME").empty()) {
        chosen = fs::path(environment("HOME")) / ".cache" / "sinew";
    }
    if (chosen.empty()) {
        return failure(ErrorCode::not_found, "there is no place for the cache: set SINEW_CACHE to a folder");
    }
    std::error_code error;
    for (auto const* part : {"packages", "systems", "apt"}) {
        fs::create_directories(chosen / part, error);
        if (error) {
            return std::unexpected(error_from_code(error, "making the cache " + chosen.string()));
        }
    }
    return Cache(fs::absolute(chosen));
}

fs::path Cache::package(LockedPackage const& package) const {
    return m_folder / "packages" / (package.sha256 + ".deb");
}

bool Cache::has_package(LockedPackage const& package) const {
    std::error_code error;
    auto const size = fs::file_size(this->package(package), error);
    return !error && std::cmp_equal(size, package.size_bytes);
}

Result<> Cache::add_package(fs::path const& file, LockedPackage const& package) const {
    TRY(auto const hash, sha256_file(file));
    std::error_code error;
    if (hash != package.sha256) {
        fs::remove(file, error);
        return failure(ErrorCode::corrupt,
                       fmt::format("{} {} was downloaded with SHA-256 {}, but the lock says {}", package.name,
                                   package.version, hash, package.sha256));
    }
    fs::rename(file, this->package(package), error);
    return error ? Result<>(std::unexpected(error_from_code(error, file.string()))) : Result<>();
}

fs::path Cache::system(std::string_view target, std::string_view key) const {
    return m_folder / "systems" / fmt::format("{}-{}", target, key.substr(0, 24));
}

fs::path Cache::apt_root(std::string_view target) const {
    return m_folder / "apt" / target;
}

Result<fs::path> Cache::make_work_folder(std::string_view target) const {
    auto folder = m_folder / "systems" / fmt::format("{}{}{}", target, part_mark, ::getpid());
    std::error_code error;
    fs::remove_all(folder, error);
    fs::create_directories(folder, error);
    if (error) {
        return std::unexpected(error_from_code(error, folder.string()));
    }
    return folder;
}

Result<FileDescriptor> Cache::lock(std::string_view target,
                                   std::function<void(std::string const&)> const& on_wait) const {
    return lock_by_name(m_folder / fmt::format("{}.lock", target), on_wait);
}

fs::path Cache::downloads(std::string_view target) const {
    return m_folder / "apt" / fmt::format("{}-downloads", target);
}

Result<> Cache::sweep(std::string_view target) const {
    std::vector<fs::path> left;
    std::error_code error;
    for (auto const& entry : fs::directory_iterator(m_folder / "systems", error)) {
        if (entry.path().filename().string().starts_with(std::string(target) + std::string(part_mark))) {
            left.push_back(entry.path());
        }
    }
    for (auto const& path : left) {
        TRY_OK(remove_tree(path));
    }
    return {};
}

} // namespace sinew::system
