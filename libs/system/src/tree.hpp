/// Trees of files that become a root file system: looking up paths as the device will, copying, merging,
/// measuring.
///
/// Paths are relative to a tree's root. Links inside a tree are resolved against the tree, never against this
/// machine: an absolute link in it means the tree's root. Blocks; a tree belongs to one thread at a time.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sinew::system {

/// `path` with all links of the tree followed. Errors: not_found; corrupt: more than 40 links.
[[nodiscard]] Result<std::filesystem::path> resolve_in(std::filesystem::path const& tree,
                                                       std::filesystem::path const& path);
[[nodiscard]] bool exists_in(std::filesystem::path const& tree, std::filesystem::path const& path);

/// Regular files (not links to them), sorted, relative.
[[nodiscard]] Result<std::vector<std::filesystem::path>> list_files(std::filesystem::path const& tree);

/// Copies the file `path` from tree to tree. If it is a link, the link and what it points to are copied.
/// Folders on the way are made; links among them that the target tree already has are followed.
[[nodiscard]] Result<> copy_with_links(std::filesystem::path const& from, std::filesystem::path const& to,
                                       std::filesystem::path const& path);

/// How copy_tree() copies regular files.
enum class CopyMode : std::uint8_t {
    link_files, ///< Hard links where possible: neither side may change a file in place afterwards.
    copy_files,
};
/// Lays the tree `from` over `to`: folders are merged, files and links replaced. A folder of `from`
/// that is a link to a folder in `to` is merged into where it points. Modes are kept, but for write
/// permission of group and others; owners are not. `accept` is asked for each relative path, and its
/// folder is left out when it says no.
[[nodiscard]] Result<>
copy_tree(std::filesystem::path const& from, std::filesystem::path const& to, CopyMode mode,
          std::function<Result<bool>(std::filesystem::path const&)> const& accept = {});

/// Puts one file there, replacing what is there (never writing through a hard link).
[[nodiscard]] Result<> install_file(std::filesystem::path const& from, std::filesystem::path const& tree,
                                    std::filesystem::path const& path, std::filesystem::perms mode);
[[nodiscard]] Result<> install_text(std::string const& content, std::filesystem::path const& tree,
                                    std::filesystem::path const& path, std::filesystem::perms mode);

/// Moves bin, sbin, lib, lib32, lib64 and libx32 below usr and leaves links, as current Debian systems have
/// them.
[[nodiscard]] Result<> merge_usr(std::filesystem::path const& tree);

/// Turns absolute links into relative ones, so that the tree works wherever it lies (a sysroot).
[[nodiscard]] Result<> make_links_relative(std::filesystem::path const& tree);

/// Bytes of all regular files.
[[nodiscard]] std::uint64_t tree_size_bytes(std::filesystem::path const& tree);

/// remove_all() that reports.
[[nodiscard]] Result<> remove_tree(std::filesystem::path const& tree);

/// An Error from a std::error_code.
[[nodiscard]] Error error_from_code(std::error_code code, std::string_view what);

} // namespace sinew::system
