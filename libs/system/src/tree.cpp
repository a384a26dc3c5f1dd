/// Work on trees of files.
///
/// Invariant: nothing is ever written outside the tree it is meant for: links are resolved inside it, ".."
/// stops at its root.
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr int link_limit = 40;

/// The folder `tree`/`path` as the device sees it, made if need be. Returns its real path inside the tree.
Result<fs::path> make_folder(fs::path const& tree, fs::path const& path) {
    fs::path done;
    for (auto const& part : path) {
        auto const next = done / part;
        std::error_code error;
        auto const status = fs::symlink_status(tree / next, error);
        if (fs::is_symlink(status)) {
            TRY(auto const target, resolve_in(tree, next));
            done = target;
        } else {
            if (!fs::exists(status)) {
                fs::create_directory(tree / next, error);
                if (error) {
                    return std::unexpected(error_from_code(error, (tree / next).string()));
                }
            }
            done = next;
        }
        if (!fs::is_directory(tree / done, error)) {
            return failure(ErrorCode::exists,
                           fmt::format("/{} is in the way: it is not a folder", done.string()));
        }
    }
    return done;
}

/// Removes a file or link that is to be replaced.
Result<> clear_place(fs::path const& place) {
    std::error_code error;
    auto const status = fs::symlink_status(place, error);
    if (fs::exists(status) && !fs::is_directory(status)) {
        fs::remove(place, error);
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return std::unexpected(error_from_code(error, place.string()));
    }
    return {};
}

Result<> copy_file_content(fs::path const& from, fs::path const& to) {
    std::error_code error;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error) {
        return std::unexpected(
            error_from_code(error, fmt::format("copying {} to {}", from.string(), to.string())));
    }
    return {};
}

/// Copies one entry that is no folder.
Result<> copy_entry(fs::path const& from, fs::path const& to, CopyMode mode) {
    TRY_OK(clear_place(to));
    std::error_code error;
    auto const status = fs::symlink_status(from, error);
    if (fs::is_symlink(status)) {
        fs::copy_symlink(from, to, error);
        return error ? Result<>(std::unexpected(error_from_code(error, to.string()))) : Result<>();
    }
    if (!fs::is_regular_file(status)) {
        return failure(ErrorCode::unsupported,
                       from.string() +
                           ": is neither a file, a folder nor a link, and can't go onto a device");
    }
    if (mode == CopyMode::link_files) {
        fs::create_hard_link(from, to, error);
        if (!error) {
            return {};
        }
    }
    TRY_OK(copy_file_content(from, to));
    // What a umask of the checkout left writable for others isn't so on the device.
    fs::permissions(to, fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove, error);
    return error ? Result<>(std::unexpected(error_from_code(error, to.string()))) : Result<>();
}

} // namespace

Error error_from_code(std::error_code code, std::string_view what) {
    return error_from_errno(code.value(), what);
}

Result<fs::path> resolve_in(fs::path const& tree, fs::path const& path) {
    std::deque<fs::path> rest(path.begin(), path.end());
    fs::path done;
    int links = 0;
    while (!rest.empty()) {
        auto const part = rest.front();
        rest.pop_front();
        if (part.empty() || part == "." || part == "/") {
            continue;
        }
        if (part == "..") {
            done = done.parent_path();
            continue;
        }
        std::error_code error;
        auto const status = fs::symlink_status(tree / done / part, error);
        if (!fs::exists(status)) {
            return failure(ErrorCode::not_found,
                           fmt::format("/{} is not in {}", path.string(), tree.string()));
        }
        if (!fs::is_symlink(status)) {
            done /= part;
            continue;
        }
        if (++links > link_limit) {
            return failure(ErrorCode::corrupt, fmt::format("/{}: its links lead in circles", path.string()));
        }
        auto const target = fs::read_symlink(tree / done / part, error);
        if (target.is_absolute()) {
            done.clear();
        }
        rest.insert(rest.begin(), target.begin(), target.end());
    }
    return done;
}

bool exists_in(fs::path const& tree, fs::path const& path) {
    return resolve_in(tree, path).has_value();
}

Result<std::vector<fs::path>> list_files(fs::path const& tree) {
    std::vector<fs::path> files;
    std::error_code error;
    for (auto walk = fs::recursive_directory_iterator(tree, error);
         !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        if (walk->symlink_status().type() == fs::file_type::regular) {
            files.push_back(walk->path().lexically_relative(tree));
        }
    }
    if (error) {
        return std::unexpected(error_from_code(error, tree.string()));
    }
    std::ranges::sort(files);
    return files;
}

Result<> copy_with_links(fs::path const& from, fs::path const& to, fs::path const& path) {
    auto current = path.relative_path();
    for (int links = 0; links < link_limit; ++links) {
        TRY(auto const parent, resolve_in(from, current.parent_path()));
        auto const name = parent / current.filename();
        std::error_code error;
        auto const status = fs::symlink_status(from / name, error);
        if (!fs::exists(status)) {
            return failure(ErrorCode::not_found,
                           fmt::format("/{} is not in {}", path.string(), from.string()));
        }
        TRY(auto const to_parent, make_folder(to, parent));
        TRY_OK(copy_entry(from / name, to / to_parent / name.filename(), CopyMode::link_files));
        if (!fs::is_symlink(status)) {
            return {};
        }
        auto const target = fs::read_symlink(from / name, error);
        current = target.is_absolute() ? target.relative_path() : (parent / target).lexically_normal();
    }
    return failure(ErrorCode::corrupt, fmt::format("/{}: its links lead in circles", path.string()));
}

Result<> copy_tree(fs::path const& from, fs::path const& to, CopyMode mode,
                   std::function<Result<bool>(fs::path const&)> const& accept) {
    std::error_code error;
    fs::create_directories(to, error);
    auto walk = fs::recursive_directory_iterator(from, error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        auto const relative = walk->path().lexically_relative(from);
        bool const is_directory = walk->symlink_status().type() == fs::file_type::directory;
        if (accept) {
            TRY(auto const wanted, accept(relative));
            if (!wanted) {
                if (is_directory) {
                    walk.disable_recursion_pending();
                }
                continue;
            }
        }
        if (is_directory) {
            TRY(auto const made, make_folder(to, relative));
            auto const permissions = walk->symlink_status().permissions();
            fs::permissions(to / made, permissions & ~(fs::perms::group_write | fs::perms::others_write),
                            error);
            continue;
        }
        TRY(auto const parent, make_folder(to, relative.parent_path()));
        TRY_OK(copy_entry(walk->path(), to / parent / relative.filename(), mode));
    }
    if (error) {
        return std::unexpected(error_from_code(error, "copying " + from.string()));
    }
    return {};
}

Result<> install_file(fs::path const& from, fs::path const& tree, fs::path const& path, fs::perms mode) {
    TRY(auto const parent, make_folder(tree, path.parent_path()));
    auto const place = tree / parent / path.filename();
    TRY_OK(clear_place(place));
    TRY_OK(copy_file_content(from, place));
    std::error_code error;
    fs::permissions(place, mode, error);
    return error ? Result<>(std::unexpected(error_from_code(error, place.string()))) : Result<>();
}

Result<> install_text(std::string const& content, fs::path const& tree, fs::path const& path,
                      fs::perms mode) {
    TRY(auto const parent, make_folder(tree, path.parent_path()));
    auto const place = tree / parent / path.filename();
    TRY_OK(clear_place(place));
    TRY(auto const file, open_file(place, O_WRONLY | O_CREAT | O_EXCL, static_cast<mode_t>(mode)));
    TRY_OK(write_all(file, as_bytes(content)));
    std::error_code error;
    fs::permissions(place, mode, error);
    return error ? Result<>(std::unexpected(error_from_code(error, place.string()))) : Result<>();
}

namespace {

/// Moves the entries of `from` into `to`, folder by folder.
Result<> move_into(fs::path const& from, fs::path const& to) {
    std::error_code error;
    fs::create_directories(to, error);
    std::vector<fs::path> entries;
    for (auto const& entry : fs::directory_iterator(from, error)) {
        entries.push_back(entry.path());
    }
    for (auto const& entry : entries) {
        auto const place = to / entry.filename();
        bool const both_folders = fs::is_directory(fs::symlink_status(entry, error)) &&
                                  fs::is_directory(fs::symlink_status(place, error));
        if (both_folders) {
            TRY_OK(move_into(entry, place));
            continue;
        }
        fs::rename(entry, place, error);
        if (error) {
            return std::unexpected(error_from_code(error, entry.string()));
        }
    }
    return remove_tree(from);
}

} // namespace

Result<> merge_usr(fs::path const& tree) {
    for (auto const* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
        std::error_code error;
        if (!fs::is_directory(fs::symlink_status(tree / name, error))) {
            continue;
        }
        TRY_OK(move_into(tree / name, tree / "usr" / name));
        fs::create_symlink(fs::path("usr") / name, tree / name, error);
        if (error) {
            return std::unexpected(error_from_code(error, (tree / name).string()));
        }
    }
    return {};
}

Result<> make_links_relative(fs::path const& tree) {
    std::vector<fs::path> links;
    std::error_code error;
    for (auto walk = fs::recursive_directory_iterator(tree, error);
         !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        if (walk->is_symlink()) {
            links.push_back(walk->path());
        }
    }
    for (auto const& link : links) {
        auto const target = fs::read_symlink(link, error);
        if (!target.is_absolute()) {
            continue;
        }
        auto const relative = (tree / target.relative_path()).lexically_relative(link.parent_path());
        fs::remove(link, error);
        fs::create_symlink(relative, link, error);
        if (error) {
            return std::unexpected(error_from_code(error, link.string()));
        }
    }
    return {};
}

std::uint64_t tree_size_bytes(fs::path const& tree) {
    std::uint64_t size = 0;
    std::error_code error;
    for (auto walk = fs::recursive_directory_iterator(tree, error);
         !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
        if (walk->symlink_status().type() == fs::file_type::regular) {
            size += walk->file_size(error);
        }
    }
    return size;
}

Result<> remove_tree(fs::path const& tree) {
    std::error_code error;
    fs::remove_all(tree, error);
    if (error) {
        return std::unexpected(error_from_code(error, "removing " + tree.string()));
    }
    return {};
}

} // namespace sinew::system
