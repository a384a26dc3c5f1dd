/// build_system(): lock, packages, assembly, cache.
///
/// Invariant: a system's folder gets its final name by one rename, after everything in it is written.
#include "apt.hpp"
#include "assembly.hpp"
#include "cache.hpp"
#include "grub_image.hpp"
#include "sha256.hpp"
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/build.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>
#include <sinew/system/layout.hpp>
#include <sinew/system/lock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

/// Counted up when the assembly makes something else of the same inputs.
constexpr int assembly_version = 2;
constexpr std::string_view manifest_name = "manifest.toml";

/// What can't be seen from the folder alone.
struct Manifest {
    std::string kernel_release;
    std::vector<std::string> early_modules;
    std::vector<std::string> modules;
};
BOOST_DESCRIBE_STRUCT(Manifest, (), (kernel_release, early_modules, modules))

std::vector<std::string> configured_mirrors(BuildOptions const& options) {
    if (!options.mirrors.empty()) {
        return options.mirrors;
    }
    std::vector<std::string> mirrors;
    char const* const value = ::getenv("SINEW_DEBIAN_MIRROR"); // NOLINT(concurrency-mt-unsafe): read only
    std::string_view rest = value == nullptr ? "" : value;
    while (!rest.empty()) { // "URI[ SUITE],URI[ SUITE]..."
        auto const end = std::min(rest.find(','), rest.size());
        mirrors.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return mirrors;
}

class Build {
public:
    Build(Target const& target, BuildOptions const& options, Cache cache)
        : m_target(target)
        , m_options(options)
        , m_cache(std::move(cache)) {}

    Result<BuiltSystem> run() {
        TRY_OK(read_lock());
        if (m_has_lock && is_built()) {
            return load();
        }
        TRY(auto const guard, wait_for_other_builds());
        TRY_OK(m_cache.sweep(name()));
        TRY_OK(read_lock()); // the other build may have written it
        if (!m_has_lock) {
            TRY_OK(renew_lock("there is no system.lock yet"));
        }
        if (!is_built()) {
            TRY_OK(fetch_packages());
        }
        if (!is_built()) { // fetch_packages() may have changed the lock, and so the key
            TRY_OK(assemble());
        }
        return load();
    }

    Result<std::vector<LockChange>> update() {
        TRY(auto const guard, wait_for_other_builds());
        TRY_OK(read_lock());
        TRY_OK(renew_lock(""));
        return m_changes;
    }

private:
    [[nodiscard]] std::string const& name() const { return m_target.description.name; }
    [[nodiscard]] fs::path lock_file() const { return m_target.folder / "system.lock"; }
    [[nodiscard]] std::string key() const {
        return sha256_text(fmt::format("{}\n{}\n{}", assembly_version, m_target.text, format_lock(m_lock)));
    }
    [[nodiscard]] bool is_built() const {
        std::error_code error;
        return fs::exists(m_cache.system(name(), key()) / manifest_name, error);
    }
    void notice(std::string const& text) const {
        if (m_options.on_notice) {
            m_options.on_notice(text);
        }
    }
    void progress(std::string_view step, std::string_view detail, int percent) const {
        if (m_options.on_progress) {
            m_options.on_progress({.step = step, .detail = detail, .percent = percent});
        }
    }

    [[nodiscard]] Result<FileDescriptor> wait_for_other_builds() const {
        return m_cache.lock(name(), [this](std::string const& holder) {
            notice(fmt::format("waiting for {}, which builds the system {}", holder, name()));
        });
    }

    Result<> read_lock() {
        std::error_code error;
        m_has_lock = fs::exists(lock_file(), error);
        if (m_has_lock) {
            TRY(auto const text, read_text_file(lock_file()));
            TRY(m_lock, parse_lock(text, lock_file().string()));
        }
        return {};
    }

    [[nodiscard]] Result<AptRoot> open_apt() {
        return AptRoot::create(m_target.description,
                               {.folder = m_cache.apt_root(name()),
                                .mirrors = configured_mirrors(m_options),
                                .wait = m_options.wait,
                                .on_notice = m_options.on_notice,
                                .on_line = [this](std::string_view line) { show_download(line); },
                                .run = {}});
    }

    /// Resolves anew and writes the lock, or refuses.
    Result<> renew_lock(std::string const& reason) {
        if (m_options.lock_policy == LockPolicy::locked) {
            return failure(
                ErrorCode::not_found,
                fmt::format("{}, and --locked forbids choosing other versions; build once without --locked "
                            "and keep the new {}",
                            reason, lock_file().string()));
        }
        progress("resolve", "fetching Debian's package indexes", 2);
        TRY(auto apt, open_apt());
        TRY_OK(apt.update());
        progress("resolve", "choosing packages", 8);
        TRY(auto lock, apt.resolve());
        auto const changes = compare_locks(m_lock, lock);
        TRY(auto const older, apt.find_older(changes));
        if (!older.empty()) {
            return failure(
                ErrorCode::denied,
                fmt::format(
                    "the archive offers older packages than {} has, as one does that is out of date, or "
                    "that somebody holds back; name another in SINEW_DEBIAN_MIRROR, or remove that "
                    "file to take them:\n{}",
                    lock_file().string(), format_changes(older)));
        }
        m_changes.insert(m_changes.end(), changes.begin(), changes.end());
        m_lock = std::move(lock);
        m_has_lock = true;
        if (!changes.empty()) {
            auto const because = reason.empty() ? "" : reason + ": ";
            notice(fmt::format("{}system.lock of {} changes:\n{}", because, name(), format_changes(changes)));
        }
        return write_file_atomically(lock_file(), as_bytes(format_lock(m_lock)));
    }

    /// The packages that are not in the cache, or damaged there.
    [[nodiscard]] Result<std::vector<LockedPackage>> missing_packages() const {
        std::vector<LockedPackage> missing;
        for (auto const& package : m_lock.packages) {
            if (!m_cache.has_package(package)) {
                missing.push_back(package);
                continue;
            }
            TRY(auto const hash, sha256_file(m_cache.package(package)));
            if (hash != package.sha256) {
                TRY_OK(remove_tree(m_cache.package(package)));
                missing.push_back(package);
            }
        }
        return missing;
    }

    Result<> fetch_packages() {
        TRY_OK(keep_downloads());
        TRY(auto missing, missing_packages());
        if (missing.empty()) {
            return {};
        }
        progress("resolve", "fetching Debian's package indexes", 2);
        TRY(auto apt, open_apt());
        TRY_OK(apt.update());
        TRY(auto const vanished, apt.find_vanished(missing));
        if (!vanished.empty()) {
            std::string list;
            for (auto const& package : vanished) {
                list += fmt::format("{}{} {}", list.empty() ? "" : ", ", package.name, package.version);
            }
            TRY_OK(renew_lock("the archive no longer has " + list));
            TRY(missing, missing_packages());
            if (is_built() || missing.empty()) {
                return {};
            }
        }
        return download(apt, missing);
    }

    /// apt writes "1:2.0" as "1%3a2.0": the file is found by the package's name, whatever the spelling.
    static Result<fs::path> find_download(fs::path const& folder, LockedPackage const& package) {
        std::error_code error;
        for (auto const& entry : fs::directory_iterator(folder, error)) {
            if (entry.path().filename().string().starts_with(package.name + "_")) {
                return entry.path();
            }
        }
        return failure(ErrorCode::unavailable, "apt did not download " + package.name);
    }

    /// Takes into the cache what an interrupted build has downloaded: only the rest is fetched again.
    [[nodiscard]] Result<> keep_downloads() const {
        std::error_code none;
        if (!fs::exists(m_cache.downloads(name()), none)) {
            return {};
        }
        for (auto const& package : m_lock.packages) {
            auto const file = find_download(m_cache.downloads(name()), package);
            if (file && !m_cache.has_package(package)) {
                (void)m_cache.add_package(*file, package); // what isn't whole is removed, and fetched again
            }
        }
        return remove_tree(m_cache.downloads(name()));
    }

    /// apt numbers what it fetches: "Get:12 http://deb.debian.org/debian bookworm/main amd64 grub-common".
    void show_download(std::string_view line) {
        if (m_to_download == 0) {
            progress("resolve", line, 5);
        }
        if (m_to_download == 0 || !line.starts_with("Get:")) {
            return;
        }
        std::size_t number = 0;
        std::from_chars(line.data() + 4, line.data() + line.size(), number);
        number = std::min(number, m_to_download);
        progress("download", fmt::format("package {} of {}", number, m_to_download),
                 10 + static_cast<int>(30 * number / m_to_download));
    }

    Result<> download(AptRoot& apt, std::vector<LockedPackage> const& missing) {
        auto const folder = m_cache.downloads(name());
        std::error_code error;
        fs::create_directories(folder, error);
        m_to_download = missing.size();
        progress("download", fmt::format("{} packages", missing.size()), 10);
        TRY_OK(apt.download(missing, folder));
        for (auto const& package : missing) {
            TRY(auto const file, find_download(folder, package));
            TRY_OK(m_cache.add_package(file, package));
        }
        return remove_tree(folder);
    }

    Result<> assemble() {
        auto const& description = m_target.description;
        TRY(auto const layout, compute_layout(description));
        TRY(auto const work, m_cache.make_work_folder(name()));
        auto const packages = work / "sysroot";
        std::vector<fs::path> files;
        files.reserve(m_lock.packages.size());
        for (auto const& package : m_lock.packages) {
            files.push_back(m_cache.package(package));
        }
        TRY_OK(unpack_packages(files, packages, [&](std::size_t index) {
            progress("unpack", m_lock.packages[index].name, 40 + static_cast<int>(40 * index / files.size()));
        }));
        progress("reduce", "kernel and modules", 80);
        TRY(auto const kernel, extract_kernel(description, packages, work, work / "rootfs"));
        progress("reduce", "root file system", 85);
        TRY_OK(make_base_tree(description, packages, work / "rootfs"));
        progress("boot image", "GRUB", 90);
        TRY_OK(make_grub_images(description, layout, packages, work));
        progress("reduce", "sysroot", 93);
        TRY_OK(make_sysroot(packages));
        auto const final_folder = m_cache.system(name(), key());
        auto const toolchain = toolchain_file(description, final_folder / "sysroot");
        TRY_OK(write_file_atomically(work / "toolchain.cmake", as_bytes(toolchain)));
        Manifest const manifest{.kernel_release = kernel.release,
                                .early_modules = kernel.modules.early,
                                .modules = kernel.modules.late};
        TRY(auto const text, to_toml(manifest));
        TRY_OK(write_file_atomically(work / manifest_name, as_bytes(text)));
        TRY_OK(remove_tree(final_folder)); // without a manifest it is nothing
        std::error_code error;
        fs::rename(work, final_folder, error);
        progress("done", "", 100);
        return error ? Result<>(std::unexpected(error_from_code(error, final_folder.string()))) : Result<>();
    }

    [[nodiscard]] Result<BuiltSystem> load() const {
        auto const folder = m_cache.system(name(), key());
        auto const file = folder / manifest_name;
        TRY(auto const text, read_text_file(file));
        TRY(auto const manifest, from_toml<Manifest>(text, file.string()));
        return BuiltSystem{.target = m_target,
                           .folder = folder,
                           .key = key(),
                           .kernel = folder / "vmlinuz",
                           .kernel_release = manifest.kernel_release,
                           .core_image = folder / "core.img",
                           .boot_code = folder / "boot.bin",
                           .rootfs = folder / "rootfs",
                           .sysroot = folder / "sysroot",
                           .toolchain_file = folder / "toolchain.cmake",
                           .early_modules = folder / "early_modules",
                           .modules = {.early = manifest.early_modules, .late = manifest.modules},
                           .lock_changes = m_changes};
    }

    Target const& m_target;
    BuildOptions const& m_options;
    Cache m_cache;
    Lock m_lock;
    bool m_has_lock = false;
    /// 0: apt is fetching indexes.
    std::size_t m_to_download = 0;
    std::vector<LockChange> m_changes;
};

} // namespace

Result<BuiltSystem> build_system(Target const& target, BuildOptions const& options) {
    TRY(auto cache, Cache::open(options.cache));
    return Build(target, options, std::move(cache)).run();
}

Result<std::vector<LockChange>> update_lock(Target const& target, BuildOptions const& options) {
    TRY(auto cache, Cache::open(options.cache));
    return Build(target, options, std::move(cache)).update();
}

} // namespace sinew::system
