/// system.lock: reading, writing, comparing.
///
/// Invariant: what parse_lock() returns can be handed to apt and used in file names as it is.
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/lock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

constexpr std::size_t package_limit = 4096;
constexpr std::string_view lower_hex = "0123456789abcdef";
constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
constexpr std::string_view version_characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.~:";

bool consists_of(std::string_view text, std::string_view allowed) {
    return !text.empty() && text.size() <= 256 && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool starts_alphanumeric(std::string_view text) {
    return !text.empty() && !std::string_view("+-.~:").contains(text.front());
}

Result<> check_package(LockedPackage const& package) {
    if (!consists_of(package.name, name_characters) || !starts_alphanumeric(package.name)) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("'{}' is not the name of a package", package.name));
    }
    if (!consists_of(package.version, version_characters) || !starts_alphanumeric(package.version)) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}: '{}' is not a version", package.name, package.version));
    }
    if (!consists_of(package.architecture, name_characters) || !starts_alphanumeric(package.architecture)) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}: '{}' is not an architecture", package.name, package.architecture));
    }
    if (package.sha256.size() != 64 || !consists_of(package.sha256, lower_hex)) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}: sha256 must be 64 lower-case hexadecimal digits", package.name));
    }
    if (package.size_bytes <= 0) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}: size_bytes must be positive", package.name));
    }
    return {};
}

} // namespace

LockedPackage const* Lock::find(std::string_view name) const {
    auto const found = std::ranges::find(packages, name, &LockedPackage::name);
    return found == packages.end() ? nullptr : &*found;
}

Result<Lock> parse_lock(std::string_view text, std::string_view source_name) {
    TRY(auto lock, from_toml<Lock>(text, source_name));
    if (!consists_of(lock.release, name_characters)) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("{}: release: '{}' is not the name of a Debian release", source_name, lock.release));
    }
    if (lock.packages.size() > package_limit) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}: {} packages are more than {}", source_name, lock.packages.size(),
                                   package_limit));
    }
    for (auto const& package : lock.packages) {
        if (auto checked = check_package(package); !checked) {
            return std::unexpected(std::move(checked).error().with_context(source_name));
        }
    }
    std::ranges::sort(lock.packages, {}, &LockedPackage::name);
    auto const twice = std::ranges::adjacent_find(lock.packages, {}, &LockedPackage::name);
    if (twice != lock.packages.end()) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}: {} is there twice", source_name, twice->name));
    }
    return lock;
}

std::string format_lock(Lock const& lock) {
    auto sorted = lock.packages;
    std::ranges::sort(sorted, {}, &LockedPackage::name);
    std::string text = "# Exactly which packages this system is made of. Written by Sinew; `sinew system "
                       "update` renews it.\n"
                       "release = \"" +
                       lock.release + "\"\n";
    for (auto const& package : sorted) {
        text += fmt::format(
            "\n[[packages]]\nname = \"{}\"\nversion = \"{}\"\narchitecture = \"{}\"\nsha256 = \"{}\"\n"
            "size_bytes = {}\n",
            package.name, package.version, package.architecture, package.sha256, package.size_bytes);
    }
    return text;
}

std::vector<LockChange> compare_locks(Lock const& old_lock, Lock const& new_lock) {
    std::map<std::string, std::pair<LockedPackage const*, LockedPackage const*>> by_name;
    for (auto const& package : old_lock.packages) {
        by_name[package.name].first = &package;
    }
    for (auto const& package : new_lock.packages) {
        by_name[package.name].second = &package;
    }
    std::vector<LockChange> changes;
    for (auto const& [name, pair] : by_name) {
        auto const [before, after] = pair;
        if (before != nullptr && after != nullptr && *before == *after) {
            continue;
        }
        changes.push_back({.name = name,
                           .old_version = before != nullptr ? before->version : "",
                           .new_version = after != nullptr ? after->version : ""});
    }
    return changes;
}

std::string format_changes(std::vector<LockChange> const& changes) {
    std::string text;
    for (auto const& change : changes) {
        if (change.old_version.empty()) {
            text += fmt::format("  {}  new: {}\n", change.name, change.new_version);
        } else if (change.new_version.empty()) {
            text += fmt::format("  {}  removed (was {})\n", change.name, change.old_version);
        } else if (change.old_version == change.new_version) {
            text +=
                fmt::format("  {}  {} was rebuilt under the same version\n", change.name, change.new_version);
        } else {
            text += fmt::format("  {}  {} -> {}\n", change.name, change.old_version, change.new_version);
        }
    }
    return text;
}

} // namespace sinew::system
