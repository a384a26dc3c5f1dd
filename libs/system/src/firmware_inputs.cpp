/// assemble_firmware_inputs(): the device's tree, and everything made of it.
///
/// The tree is laid in layers: the system's base, what all targets share, what is the target's own, Sinew's
/// programs, the application, the project's overlays, and last the files that are generated. Invariant: files
/// of the cache are only linked to, never written.
#include "check_image.hpp"
#include "elf_closure.hpp"
#include "elf_file.hpp"
#include "image.hpp"
#include "module_order.hpp"
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/check_config.hpp>
#include <sinew/device/config.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/build.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>
#include <sinew/system/firmware_inputs.hpp>
#include <sinew/system/layout.hpp>
#include <sinew/system/update_script.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr auto program_mode = fs::perms{0755};
constexpr auto file_mode = fs::perms{0644};
constexpr auto secret_mode = fs::perms{0600};
constexpr std::size_t program_limit_bytes = 256u << 20;
constexpr std::string_view init_program = "sbin/init";
/// Mounted over or made at boot: what an overlay put there would never be seen.
constexpr std::array<std::string_view, 6> hidden_folders = {"data", "dev", "proc", "run", "sys", "tmp"};

class Assembly {
public:
    Assembly(BuiltSystem const& system, FirmwareOptions const& options, Layout layout)
        : m_system(system)
        , m_options(options)
        , m_description(system.target.description)
        , m_layout(std::move(layout))
        , m_tree(options.output / "rootfs") {}

    Result<FirmwareInputs> run() {
        std::error_code error;
        fs::create_directories(m_options.output, error);
        TRY_OK(lay_base());
        if (m_options.purpose == Purpose::production) {
            TRY_OK(remove_development_parts());
        }
        TRY_OK(lay_programs());
        TRY_OK(lay_application());
        TRY_OK(lay_overlays());
        TRY_OK(lay_generated_files());
        TRY_OK(make_operations_archive());
        TRY_OK(complete_libraries(
            {.tree = m_tree, .source = m_system.sysroot, .gnu_triplet = m_description.gnu_triplet}));
        if (m_options.init && m_options.device) {
            TRY_OK(check_image(m_tree, m_system.modules, *m_options.init, *m_options.device));
        }
        TRY_OK(make_images());
        TRY_OK(write_scripts());
        m_inputs.rootfs_parts = measure();
        return m_inputs;
    }

private:
    Result<> lay_base() {
        TRY_OK(remove_tree(m_tree));
        TRY_OK(copy_tree(m_system.rootfs, m_tree, CopyMode::link_files));
        for (auto const& layer :
             {m_system.target.folder.parent_path() / "common/rootfs", m_system.target.folder / "rootfs"}) {
            std::error_code error;
            if (fs::is_directory(layer, error)) {
                TRY_OK(copy_tree(layer, m_tree, CopyMode::copy_files));
            }
        }
        std::error_code error;
        if (fs::exists(m_tree / "etc/shadow", error)) {
            fs::permissions(m_tree / "etc/shadow", secret_mode, error);
        }
        if (fs::is_directory(m_tree / "root", error)) {
            fs::permissions(m_tree / "root", fs::perms{0700}, error);
        }
        return {};
    }

    [[nodiscard]] Result<> remove_development_parts() const {
        auto const& development = m_description.development;
        for (auto const& applet : development.applets) {
            std::error_code error;
            fs::remove(m_tree / fs::path(applet).relative_path(), error);
        }
        TRY(auto const files, list_files(m_tree / "usr/lib/modules"));
        for (auto const& file : files) {
            if (std::ranges::find(development.modules, module_key(file.stem().string()), module_key) !=
                development.modules.end()) {
                TRY_OK(remove_tree(m_tree / "usr/lib/modules" / file));
            }
        }
        return {};
    }

    [[nodiscard]] bool is_left_out(std::string const& program) const {
        auto const& programs = m_description.development.programs;
        return m_options.purpose == Purpose::production &&
               std::ranges::find(programs, "/" + program) != programs.end();
    }

    /// Removes symbols and debugging information, which a device has no use for.
    [[nodiscard]] Result<> strip(fs::path const& file) const {
        auto const tool = find_program(m_description.gnu_triplet + "-strip");
        auto stripped = run_checked({tool ? tool->string() : "strip", "--strip-all", file.string()});
        if (!stripped) {
            return std::unexpected(std::move(stripped).error().with_context("stripping " + file.string()));
        }
        return {};
    }

    [[nodiscard]] Result<> check_machine(ElfFile const& elf, fs::path const& file) const {
        auto const wanted = machine_of_triplet(m_description.gnu_triplet);
        if (elf.machine != wanted) {
            return failure(
                ErrorCode::invalid_argument,
                fmt::format("{}: is for {}, the target needs {}; build it with the target's toolchain file",
                            file.string(), machine_name(elf.machine), machine_name(wanted)));
        }
        return {};
    }

    Result<> lay_programs() {
        for (auto const& [path, file] : m_options.programs) {
            if (is_left_out(path)) {
                continue;
            }
            TRY(auto const bytes, read_file(file, program_limit_bytes));
            TRY_OK(install_file(file, m_tree, path, program_mode));
            if (!is_elf(bytes)) {
                continue; // a script
            }
            TRY(auto const elf, parse_elf(bytes));
            TRY_OK(check_machine(elf, file));
            if (path == init_program && (!elf.interpreter.empty() || !elf.needed.empty())) {
                return failure(ErrorCode::invalid_argument,
                               file.string() +
                                   ": PID 1 must be linked statically, the initramfs has no libraries");
            }
            TRY(auto const place, resolve_in(m_tree, path));
            TRY_OK(strip(m_tree / place));
        }
        return {};
    }

    Result<> lay_application() {
        if (m_options.application.empty()) {
            return {};
        }
        TRY_OK(copy_tree(m_options.application, m_tree / "srv/app", CopyMode::copy_files));
        TRY(auto const files, list_files(m_tree / "srv/app"));
        for (auto const& file : files) {
            auto const place = m_tree / "srv/app" / file;
            TRY(auto const bytes, read_file(place, program_limit_bytes));
            if (is_elf(bytes)) {
                TRY(auto const elf, parse_elf(bytes));
                TRY_OK(check_machine(elf, m_options.application / file));
                TRY_OK(strip(place));
            }
        }
        return {};
    }

    Result<> lay_overlays() {
        for (auto const& overlay : m_options.overlays) {
            auto const accept = [&](fs::path const& path) -> Result<bool> {
                auto const top = path.begin()->string();
                bool const is_top = std::next(path.begin()) == path.end();
                if (!is_top && std::ranges::find(hidden_folders, top) != hidden_folders.end()) {
                    return failure(
                        ErrorCode::invalid_argument,
                        fmt::format("{}: /{} is mounted over when the device starts, so /{} would never be "
                                    "seen; put it elsewhere",
                                    overlay.string(), top, path.string()));
                }
                return path.filename() != ".gitkeep";
            };
            TRY_OK(copy_tree(overlay, m_tree, CopyMode::copy_files, accept));
        }
        return {};
    }

    [[nodiscard]] std::string os_release() const {
        auto const& identity = m_options.identity;
        return fmt::format(
            "NAME=\"{0}\"\nID=sinew\nVERSION=\"{1}\"\nPRETTY_NAME=\"{0} {1}\"\nVARIANT_ID={2}\n"
            "ID_LIKE=debian\nBUILD_ID={3}\n",
            identity.product, identity.version, m_description.name, m_system.key.substr(0, 12));
    }

    Result<> lay_generated_files() {
        auto const init = m_options.init.value_or(
            init_config(m_description, m_layout, m_system.modules, m_options.build_time));
        auto device = m_options.device.value_or(device_config(m_description));
        if (!m_options.device) {
            device.product = m_options.identity.product;
            device.version = m_options.identity.version;
        }
        TRY_OK(device::check(init, "init.toml"));
        TRY_OK(device::check(device, "device.toml"));
        TRY(m_init_config, to_toml(init));
        TRY(auto const device_text, to_toml(device));
        TRY_OK(install_text(m_init_config, m_tree, "etc/sinew/init.toml", file_mode));
        TRY_OK(install_text(device_text, m_tree, "etc/sinew/device.toml", file_mode));
        TRY_OK(install_text(os_release(), m_tree, "etc/os-release", file_mode));
        std::string keys;
        for (auto const& line : m_options.authorized_keys) {
            keys += line + "\n";
        }
        TRY_OK(install_text(keys, m_tree, "etc/sinew/authorized_keys", secret_mode));
        for (auto const& [name, content] : m_options.public_keys) {
            if (fs::path(name).filename() != name || name.empty()) {
                return failure(ErrorCode::invalid_argument,
                               fmt::format("'{}' can't be the name of a key file", name));
            }
            TRY_OK(install_text(content, m_tree, fs::path("etc/sinew/keys") / name, file_mode));
        }
        return {};
    }

    Result<> make_operations_archive() {
        m_inputs.operations_script = m_options.output / "ops.conf";
        m_inputs.operations_archive = m_options.output / "ops.fw";
        TRY(auto const boot_code, read_file(m_system.boot_code));
        auto const text = operations_script(m_description, m_layout, m_options.identity, to_hex(boot_code));
        TRY_OK(write_file_atomically(m_inputs.operations_script, as_bytes(text)));
        firmware::CreateOptions create;
        create.script = m_inputs.operations_script;
        create.output = m_inputs.operations_archive;
        create.variables = {{"SOURCE_DATE_EPOCH", std::to_string(m_options.build_time)}};
        create.process_environment = firmware::ProcessEnvironment::ignored;
        create.private_key = m_options.private_key;
        auto made = firmware::create_archive(create);
        if (!made) {
            return std::unexpected(std::move(made).error().with_context("making ops.fw"));
        }
        return install_file(m_inputs.operations_archive, m_tree, "usr/share/sinew/ops.fw", file_mode);
    }

    Result<> make_images() {
        m_inputs.rootfs = m_options.output / "rootfs.img";
        TRY_OK(
            write_rootfs_image(m_tree, m_description.rootfs.format, m_options.build_time, m_inputs.rootfs));
        TRY_OK(check_fits(m_inputs.rootfs, m_layout.rootfs(Slot::a), "the root file system"));
        m_inputs.initramfs = m_options.output / "initramfs";
        InitramfsParts parts{.init_config = m_init_config, .build_time = m_options.build_time};
        if (m_options.programs.contains(std::string(init_program))) {
            TRY(auto const place, resolve_in(m_tree, init_program));
            TRY(parts.init, read_file(m_tree / place, program_limit_bytes));
        } else {
            return failure(ErrorCode::invalid_argument,
                           "no program is given for sbin/init: nothing would start");
        }
        for (auto const& name : m_system.modules.early) {
            parts.modules.push_back(m_system.early_modules / (name + ".ko"));
        }
        TRY_OK(write_initramfs(parts, m_inputs.initramfs));
        return {};
    }

    static Result<> check_fits(fs::path const& file, PlacedPartition const& partition,
                               std::string_view what) {
        std::error_code error;
        auto const size = fs::file_size(file, error);
        auto const room = partition.block_count * block_size_bytes;
        if (!error && size <= room) {
            return {};
        }
        return failure(
            ErrorCode::no_space,
            fmt::format("{} needs {} KiB, but its slot has {} KiB; leave something out, or enlarge {} in "
                        "system.toml (devices in the field keep their layout)",
                        what, size >> 10, room >> 10, partition.name));
    }

    Result<> write_scripts() {
        m_inputs.kernel = m_system.kernel;
        m_inputs.core_image = m_system.core_image;
        m_inputs.slot_script = m_options.output / "grub.cfg";
        TRY_OK(write_file_atomically(m_inputs.slot_script, as_bytes(grub_slot_script(m_description))));
        auto const tried = m_options.output / "tried.tar";
        TRY_OK(write_file_atomically(tried, tried_archive()));
        TRY(auto const boot_code, read_file(m_system.boot_code));
        m_inputs.update_script = m_options.output / "fwup.conf";
        auto const text = update_script(m_description, m_layout, m_options.identity,
                                        {.core_image = m_system.core_image,
                                         .kernel = m_system.kernel,
                                         .initramfs = fs::absolute(m_inputs.initramfs),
                                         .slot_script = fs::absolute(m_inputs.slot_script),
                                         .rootfs = fs::absolute(m_inputs.rootfs),
                                         .tried_archive = fs::absolute(tried),
                                         .boot_code_hex = to_hex(boot_code)});
        return write_file_atomically(m_inputs.update_script, as_bytes(text));
    }

    [[nodiscard]] std::string part_of(fs::path const& file) const {
        auto const text = file.string();
        if (text.starts_with("srv/app/")) {
            return "application";
        }
        if (text.starts_with("usr/lib/modules/")) {
            return "kernel modules";
        }
        auto const is_program = [&](auto const& entry) {
            auto const place = resolve_in(m_tree, entry.first);
            return place && *place == file;
        };
        if (std::ranges::any_of(m_options.programs, is_program)) {
            return "Sinew's programs";
        }
        if (text.starts_with("usr/lib")) {
            return "libraries";
        }
        return text.starts_with("usr/bin/") || text.starts_with("usr/sbin/") ? "base programs"
                                                                             : "other files";
    }

    [[nodiscard]] std::vector<PartSize> measure() const {
        std::map<std::string, std::uint64_t> sizes;
        auto const files = list_files(m_tree);
        for (auto const& file : files ? *files : std::vector<fs::path>{}) {
            std::error_code error;
            sizes[part_of(file)] += fs::file_size(m_tree / file, error);
        }
        std::vector<PartSize> parts;
        parts.reserve(sizes.size());
        for (auto const& [name, size] : sizes) {
            parts.push_back({.name = name, .size_bytes = size});
        }
        std::ranges::sort(parts, std::ranges::greater(), &PartSize::size_bytes);
        return parts;
    }

    BuiltSystem const& m_system;
    FirmwareOptions const& m_options;
    Description const& m_description;
    Layout m_layout;
    fs::path m_tree;
    std::string m_init_config;
    FirmwareInputs m_inputs;
};

} // namespace

Result<FirmwareInputs> assemble_firmware_inputs(BuiltSystem const& system, FirmwareOptions const& options) {
    TRY(auto layout, compute_layout(system.target.description));
    return Assembly(system, options, std::move(layout)).run();
}

} // namespace sinew::system
