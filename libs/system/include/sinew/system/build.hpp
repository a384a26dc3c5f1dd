/// Assembles a system from Debian's signed packages, or takes it from the cache.
///
/// A built system is a folder named by the hash of all that went into it; it appears whole or not at all, is
/// never changed afterwards, and may be used by any number of builds at once. Blocks for minutes when nothing
/// is cached; several processes may build at once.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>
#include <sinew/system/lock.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

/// What to do when a pinned package has vanished from the archive.
enum class LockPolicy : std::uint8_t {
    update, ///< Take the release's current versions, say so, and write the lock anew.
    locked, ///< Refuse.
};

struct BuildProgress {
    /// What is being done: "resolve", "download", "unpack", "reduce", "boot image".
    std::string_view step{};
    /// A detail for people; may be empty.
    std::string_view detail{};
    /// Of the whole build.
    int percent = 0;
};

struct BuildOptions {
    LockPolicy lock_policy = LockPolicy::update;
    /// Empty: $SINEW_CACHE, or ~/.cache/sinew.
    std::filesystem::path cache{};
    /// Where packages come from, e.g. "http://HOST/debian"; empty: $SINEW_DEBIAN_MIRROR, or what this
    /// machine's own apt is configured with.
    std::vector<std::string> mirrors{};
    std::function<void(BuildProgress const&)> on_progress{};
    /// Something people should read: one sentence, or the lock's difference.
    std::function<void(std::string const&)> on_notice{};
    /// How retries wait; tests inject their own. Empty: sleeps.
    std::function<void(std::chrono::milliseconds)> wait{};
};

/// A system, ready to be made into firmware. All paths are in the cache and must not be written to.
struct BuiltSystem {
    Target target{};
    std::filesystem::path folder{};
    /// The hash the folder is named by: changes when anything in it does.
    std::string key{};
    /// vmlinuz, and its release, e.g. "6.1.0-56-amd64".
    std::filesystem::path kernel{};
    std::string kernel_release{};
    /// GRUB's core image, and the first 440 bytes of the disk.
    std::filesystem::path core_image{};
    std::filesystem::path boot_code{};
    /// The base tree of the root file system: programs, libraries, modules, links.
    std::filesystem::path rootfs{};
    /// All libraries and headers of the packages: what device programs are compiled and linked against.
    std::filesystem::path sysroot{};
    /// Pass as CMAKE_TOOLCHAIN_FILE.
    std::filesystem::path toolchain_file{};
    /// Early modules are in `early_modules`, one file each; late ones in the root file system.
    std::filesystem::path early_modules{};
    ModuleOrder modules{};
    /// What the lock became, if it had to change.
    std::vector<LockChange> lock_changes{};
};

/// Builds, or finds in the cache. Errors: not_found: a pinned package is gone and the policy is `locked`
/// (with the list), or a file named in system.toml is in no package; corrupt: a download doesn't match its
/// SHA-256 even after retries; unavailable: no archive could be reached; invalid_argument: system.toml or
/// system.lock; no_space.
[[nodiscard]] Result<BuiltSystem> build_system(Target const& target, BuildOptions const& options = {});

/// Resolves the packages anew and writes systems/<target>/system.lock. Returns the changes.
[[nodiscard]] Result<std::vector<LockChange>> update_lock(Target const& target,
                                                          BuildOptions const& options = {});

} // namespace sinew::system
