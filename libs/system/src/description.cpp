/// Reading and checking system.toml.
///
/// Invariant: a Description that leaves here names each required partition once and holds no path that could
/// lead out of the tree it is used in. Pure functions, except those that read the folder.
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

constexpr std::array<std::string_view, 5> required_partitions = {"boot_a", "boot_b", "rootfs_a", "rootfs_b",
                                                                 "data"};
constexpr std::size_t description_limit_bytes = 1u << 20;

bool is_name(std::string_view text, std::string_view extra) {
    return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               extra.contains(c);
    });
}

/// Collects what is wrong with a description; the first fault is reported.
class Checker {
public:
    explicit Checker(std::string_view source_name)
        : m_source_name(source_name) {}

    void expect(bool condition, std::string_view key, std::string const& message) {
        if (!condition && m_fault.empty()) {
            m_fault = std::string(m_source_name) + ": " + std::string(key) + ": " + message;
        }
    }
    void expect_names(std::vector<std::string> const& names, std::string_view key) {
        for (auto const& name : names) {
            expect(is_name(name, "+-._:"), key, "'" + name + "' is not a name (letters, digits and +-._)");
        }
    }
    void expect_path(std::string const& path, std::string_view key) {
        auto const normal = std::filesystem::path(path).lexically_normal();
        bool const leaves = std::ranges::any_of(normal, [](auto const& part) { return part == ".."; });
        expect(!path.empty() && !leaves && path.find('\n') == std::string::npos, key,
               "'" + path + "' is not a path inside the device's tree");
    }
    void expect_line(std::string const& text, std::string_view key) {
        expect(text.find_first_of("\n'\"\\") == std::string::npos, key,
               "'" + text + "' holds a quote, a backslash or a line feed, which boot scripts can't carry");
    }
    [[nodiscard]] Result<> result() const {
        if (!m_fault.empty()) {
            return failure(ErrorCode::invalid_argument, m_fault);
        }
        return {};
    }

private:
    std::string_view m_source_name;
    std::string m_fault;
};

void check_identity(Checker& check, Description const& description) {
    check.expect(is_name(description.name, "_-"), "name", "is missing, or not letters, digits, '_' and '-'");
    check.expect(is_name(description.release, "-"), "release",
                 "is missing: name Debian's release, e.g. \"bookworm\"");
    check.expect(is_name(description.architecture, "-"), "architecture", "is missing: e.g. \"amd64\"");
    check.expect(is_name(description.gnu_triplet, "_-"), "gnu_triplet",
                 "is missing: e.g. \"x86_64-linux-gnu\"");
    check.expect(is_name(description.emulator.program, "_-"), "emulator.program", "is missing");
}

void check_packages(Checker& check, Packages const& packages) {
    for (auto const& [name, files] : packages.device) {
        check.expect_names({name}, "packages.device");
        for (auto const& file : files) {
            check.expect_path(file, "packages.device." + name);
        }
    }
    check.expect_names(packages.build, "packages.build");
    check.expect_names(packages.sysroot, "packages.sysroot");
    check.expect_names(packages.provided, "packages.provided");
}

void check_kernel(Checker& check, Description const& description) {
    for (auto const& console : description.kernel.consoles) {
        check.expect_line(console, "kernel.consoles");
    }
    for (auto const& argument : description.kernel.arguments) {
        check.expect_line(argument, "kernel.arguments");
    }
    check.expect_names(description.kernel.early_modules, "kernel.early_modules");
    check.expect_names(description.kernel.modules, "kernel.modules");
    check.expect_names(description.bootloader.modules, "bootloader.modules");
    check.expect(description.bootloader.tried_block >= 2, "bootloader.tried_block", "must be 2 or more");
    auto const& log = description.crash_log;
    check.expect(log.size_kib == 0 ||
                     (log.address > 0 && log.record_kib > 0 && log.record_kib <= log.size_kib),
                 "crash_log", "needs an address, and records that are not larger than the whole");
}

void check_disk(Checker& check, Disk const& disk) {
    check.expect(disk.signature.size() == 8 &&
                     disk.signature.find_first_not_of("0123456789abcdef") == std::string::npos,
                 "disk.signature", "must be 8 lower-case hexadecimal digits");
    check.expect(disk.alignment_blocks >= 8 && disk.alignment_blocks <= 65536, "disk.alignment_blocks",
                 "must be 8 to 65536");
    for (auto const name : required_partitions) {
        auto const count = std::ranges::count(disk.partitions, name, &PartitionEntry::name);
        check.expect(count == 1, "disk.partitions", "needs '" + std::string(name) + "' exactly once");
    }
    for (auto const& partition : disk.partitions) {
        check.expect(is_name(partition.name, "_"), "disk.partitions", "a partition has no proper name");
        check.expect(partition.size_mib >= 1 && partition.size_mib <= 1024 * 1024,
                     "disk.partitions." + partition.name, "size_mib must be 1 to 1048576");
        check.expect(partition.type != 0, "disk.partitions." + partition.name, "type can't be 0");
        check.expect(!partition.expand || &partition == &disk.partitions.back(),
                     "disk.partitions." + partition.name, "only the last partition can expand");
    }
    auto const size_of = [&](std::string_view name) {
        auto const found = std::ranges::find(disk.partitions, name, &PartitionEntry::name);
        return found == disk.partitions.end() ? 0 : found->size_mib;
    };
    check.expect(size_of("boot_a") == size_of("boot_b"), "disk.partitions",
                 "boot_a and boot_b differ in size");
    check.expect(size_of("rootfs_a") == size_of("rootfs_b"), "disk.partitions",
                 "rootfs_a and rootfs_b differ in size");
}

void check_rootfs(Checker& check, RootFileSystem const& rootfs) {
    for (auto const& applet : rootfs.applets) {
        check.expect_path(applet, "rootfs.applets");
    }
    for (auto const& folder : rootfs.directories) {
        check.expect_path(folder, "rootfs.directories");
    }
    for (auto const& [link, target] : rootfs.links) {
        check.expect_path(link, "rootfs.links");
        check.expect(!target.empty(), "rootfs.links", "'" + link + "' points nowhere");
    }
}

/// A word that names nothing would leave nothing out, without a word.
void check_development(Checker& check, Description const& description) {
    auto const& development = description.development;
    auto const is_in = [](auto const& list, std::string const& name) {
        return std::ranges::find(list, name) != list.end();
    };
    for (auto const& applet : development.applets) {
        check.expect(is_in(description.rootfs.applets, applet), "development.applets",
                     "'" + applet + "' is none of rootfs.applets");
    }
    for (auto const& module : development.modules) {
        check.expect(is_in(description.kernel.modules, module), "development.modules",
                     "'" + module + "' is none of kernel.modules");
    }
    for (auto const& name : development.services) {
        check.expect(std::ranges::find(description.services, name, &device::Service::name) !=
                         description.services.end(),
                     "development.services", "'" + name + "' is none of services");
    }
    for (auto const& program : development.programs) {
        check.expect_path(program, "development.programs");
    }
}

} // namespace

Result<Description> parse_description(std::string_view text, std::string_view source_name) {
    TRY(auto description, from_toml<Description>(text, source_name));
    Checker check(source_name);
    check_identity(check, description);
    check_packages(check, description.packages);
    check_kernel(check, description);
    check_disk(check, description.disk);
    check_rootfs(check, description.rootfs);
    check_development(check, description);
    TRY_OK(check.result());
    return description;
}

std::vector<std::string> list_systems(std::filesystem::path const& systems) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto const& entry : std::filesystem::directory_iterator(systems, error)) {
        if (std::filesystem::exists(entry.path() / "system.toml", error)) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

Result<Target> load_system(std::filesystem::path const& systems, std::string_view name) {
    auto const known = list_systems(systems);
    if (std::ranges::find(known, name) == known.end()) {
        std::string list;
        for (auto const& each : known) {
            list += (list.empty() ? "" : ", ") + each;
        }
        return failure(ErrorCode::not_found, "there is no target '" + std::string(name) + "'; " +
                                                 (known.empty() ? "no targets are in " + systems.string()
                                                                : "the targets are: " + list));
    }
    auto const folder = systems / name;
    auto const file = folder / "system.toml";
    TRY(auto text, read_text_file(file, description_limit_bytes));
    TRY(auto description, parse_description(text, file.string()));
    if (description.name != name) {
        return failure(ErrorCode::invalid_argument, file.string() + ": name: is '" + description.name +
                                                        "' but the folder is called '" + std::string(name) +
                                                        "'");
    }
    return Target{.description = std::move(description), .folder = folder, .text = std::move(text)};
}

} // namespace sinew::system
