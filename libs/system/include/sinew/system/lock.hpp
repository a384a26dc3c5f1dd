/// system.lock: exactly which packages a system is made of.
///
/// Sorted by name; every package carries the SHA-256 that Debian's signed index gave for it.
#pragma once

#include <sinew/base/describe.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

struct LockedPackage {
    std::string name{};
    std::string version{};
    std::string architecture{};
    /// 64 lower-case hexadecimal digits.
    std::string sha256{};
    std::int64_t size_bytes = 0;
    bool operator==(LockedPackage const&) const = default;
};
BOOST_DESCRIBE_STRUCT(LockedPackage, (), (name, version, architecture, sha256, size_bytes))

struct Lock {
    std::string release{};
    std::vector<LockedPackage> packages{};
    bool operator==(Lock const&) const = default;
    [[nodiscard]] LockedPackage const* find(std::string_view name) const;
};
BOOST_DESCRIBE_STRUCT(Lock, (), (release, packages))

/// Reads a lock. Errors invalid_argument: not TOML, an unknown key, a name, version or hash that can't be
/// one, a package twice. At most 4096 packages.
[[nodiscard]] Result<Lock> parse_lock(std::string_view text, std::string_view source_name);

/// The text of a lock, sorted by name.
[[nodiscard]] std::string format_lock(Lock const& lock);

struct LockChange {
    std::string name{};
    /// Empty: the package is new.
    std::string old_version{};
    /// Empty: the package is gone.
    std::string new_version{};
};
/// What changed from `old_lock` to `new_lock`, by name. A new hash under the old version counts as a change.
[[nodiscard]] std::vector<LockChange> compare_locks(Lock const& old_lock, Lock const& new_lock);

/// A line a change: "  libc6  2.36-9+deb12u13 -> 2.36-9+deb12u14".
[[nodiscard]] std::string format_changes(std::vector<LockChange> const& changes);

} // namespace sinew::system
