/// The cache: packages by hash, built systems by key, and the lock that keeps two builds apart.
///
/// Invariant: what has its final name is complete. Everything unfinished carries ".part" in its name and is
/// swept by the next build that holds the lock. Paths are plain values; the lock belongs to the process that
/// took it and ends with it (also by kill -9).
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/lock.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace sinew::system {

class Cache {
public:
    /// `folder`, or $SINEW_CACHE, or $XDG_CACHE_HOME/sinew, or ~/.cache/sinew. Made if need be. Errors:
    /// not_found: there is no home; denied.
    [[nodiscard]] static Result<Cache> open(std::filesystem::path const& folder);

    [[nodiscard]] std::filesystem::path const& folder() const noexcept { return m_folder; }
    /// Where a package with that hash is or would be.
    [[nodiscard]] std::filesystem::path package(LockedPackage const& package) const;
    [[nodiscard]] bool has_package(LockedPackage const& package) const;
    /// Checks a downloaded file against the lock and moves it in. Error corrupt: another hash; the file is
    /// removed.
    [[nodiscard]] Result<> add_package(std::filesystem::path const& file, LockedPackage const& package) const;
    /// Where the built system with that key is or would be.
    [[nodiscard]] std::filesystem::path system(std::string_view target, std::string_view key) const;
    [[nodiscard]] std::filesystem::path apt_root(std::string_view target) const;
    /// A new folder for unfinished work on the same file system, removed by sweep() if it is left behind.
    [[nodiscard]] Result<std::filesystem::path> make_work_folder(std::string_view target) const;

    /// Waits until no other build works on `target`; if it has to, `on_wait` is told for whom.
    [[nodiscard]] Result<FileDescriptor> lock(std::string_view target,
                                              std::function<void(std::string const&)> const& on_wait) const;
    /// Where the packages of `target` are downloaded to. Stays when a build is interrupted.
    [[nodiscard]] std::filesystem::path downloads(std::string_view target) const;
    /// Removes what an interrupted build of `target` left. Only with the lock held.
    [[nodiscard]] Result<> sweep(std::string_view target) const;

private:
    explicit Cache(std::filesystem::path folder)
        : m_folder(std::move(folder)) {}
    std::filesystem::path m_folder;
};

} // namespace sinew::system
