// The steps of `sinew firmware`. See firmware_build.hpp.
#include <sinew/base/file.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/check_config.hpp>
#include <sinew/system.hpp>
#include <sinew/tooling/cmake_build.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/firmware_build.hpp>
#include <sinew/tooling/interrupt_notice.hpp>
#include <sinew/tooling/keys.hpp>
#include <sinew/tooling/made_beside.hpp>
#include <sinew/tooling/prebuilt.hpp>
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

/// What Sinew itself puts on a device: path there -> program built here.
std::map<std::string, fs::path> const& device_programs() {
    static std::map<std::string, fs::path> const programs = {{"sbin/init", "sinew-init"},
                                                             {"usr/bin/sinewd", "sinewd"},
                                                             {"usr/bin/fwup", "fwup"},
                                                             {"usr/bin/sinew-sim", "sinew-sim"}};
    return programs;
}

/// Everything the steps share.
struct Work {
    Context const& context;
    Project const& project;
    FirmwareBuildOptions const& options;
    fs::path root;
    fs::path output_folder;
    KeyStore keys;
};

/// What every build for a device is configured with. Assertions stay in: a broken invariant must crash, not
/// go on.
CmakeVariables cross_variables(system::BuiltSystem const& built, std::string_view optimisation) {
    auto const flags = fmt::format("{} -ffunction-sections -fdata-sections", optimisation);
    return {{"CMAKE_TOOLCHAIN_FILE", built.toolchain_file.string()},
            {"CMAKE_BUILD_TYPE", "Release"},
            {"CMAKE_CXX_FLAGS_RELEASE", flags},
            {"CMAKE_C_FLAGS_RELEASE", flags},
            {"CMAKE_EXE_LINKER_FLAGS_RELEASE", "-Wl,--gc-sections"}};
}

Result<system::BuiltSystem> prepare_system(Work const& work, system::Target const& target) {
    Console& console = work.context.console();
    StepTimer const timer(console, "system " + target.description.name);
    system::BuildOptions options;
    options.lock_policy = work.options.locked ? system::LockPolicy::locked : system::LockPolicy::update;
    options.cache = work.context.paths().cache;
    options.on_progress = [&console](system::BuildProgress const& progress) {
        console.progress(fmt::format("system: {} {}", progress.step, progress.detail),
                         static_cast<std::uint64_t>(progress.percent), 100, ProgressUnit::percent);
    };
    options.on_notice = [&console](std::string const& notice) { console.warn(notice); };
    auto built = system::build_system(target, options);
    console.end_progress();
    return built;
}

/// A part of Sinew for the target. Each version of Sinew is built once for all projects.
Part device_part(Work const& work, system::BuiltSystem const& built, PartKind kind) {
    system::Description const& description = built.target.description;
    bool const is_programs = kind == PartKind::programs;
    Part part{.kind = kind,
              .name = description.name,
              .label =
                  fmt::format("Sinew's {} for {}", is_programs ? "programs" : "libraries", description.name),
              .variables = cross_variables(built, is_programs ? "-Os" : "-O2"),
              .compiler = description.gnu_triplet + "-g++-12"};
    part.variables.emplace_back("SINEW_COMPONENTS", is_programs ? "device" : "application");
    part.variables.emplace_back("SINEW_TESTS", "OFF");
    if (is_programs) {
        part.find_made = [&console = work.context.console(),
                          wanted = DeviceBuild{.root = work.root,
                                               .sysroot = built.sysroot,
                                               .compiler = part.compiler,
                                               .variables = part.variables}] {
            auto const own = find_equal_build(console, own_build_folder(), wanted);
            return own ? own : find_equal_build(console, wanted.root / "build" / "tool", wanted);
        };
    }
    return part;
}

Result<std::map<std::string, fs::path>> find_device_programs(Work const& work,
                                                             system::BuiltSystem const& built) {
    TRY(auto const folder, prebuilt_part(work.context, device_part(work, built, PartKind::programs)));
    std::map<std::string, fs::path> programs;
    for (auto const& [path, program] : device_programs()) {
        programs.emplace(path, folder / "bin" / program);
    }
    return programs;
}

Result<fs::path> build_application(Work const& work, system::BuiltSystem const& built) {
    ProjectConfig const& config = work.project.config();
    TRY(auto const prebuilt, prebuilt_part(work.context, device_part(work, built, PartKind::libraries)));
    fs::path const folder = work.output_folder / "application";
    CmakeVariables variables = cross_variables(built, "-O2");
    variables.emplace_back("SINEW_ROOT", work.root.string());
    variables.emplace_back("SINEW_PREBUILT", prebuilt.string());
    TRY_OK(build_with_cmake(work.context.console(),
                            {.source = work.project.folder(),
                             .folder = folder,
                             .variables = std::move(variables),
                             .targets = {config.name + "_app"},
                             .label = fmt::format("{} for {}", config.name, config.target)}));
    return folder / "bin" / config.name;
}

/// The tree that becomes /srv/app: bin/NAME and config/*.toml, each of which must be TOML.
Result<fs::path> lay_out_application(Work const& work, fs::path const& program) {
    fs::path tree = work.output_folder / "app";
    std::error_code problem;
    fs::remove_all(tree, problem);
    fs::create_directories(tree / "bin", problem);
    fs::create_directories(tree / "config", problem);
    fs::copy_file(program, tree / "bin" / work.project.config().name, problem);
    if (problem) {
        return std::unexpected(error_from_errno(problem.value(), program.string()));
    }
    for (std::string const name : {"config.toml", "target.toml"}) {
        fs::path const file = work.project.folder() / "config" / name;
        if (fs::exists(file)) {
            TRY(auto const text, read_text_file(file));
            TRY_OK(parse_toml(text, file.string()));
            TRY_OK(write_file_atomically(tree / "config" / name, as_bytes(text)));
        }
    }
    return tree;
}

Result<std::int64_t> build_time() {
    std::string const fixed = environment("SOURCE_DATE_EPOCH");
    if (fixed.empty()) {
        return std::chrono::duration_cast<std::chrono::seconds>(SystemClock().wall_now().time_since_epoch())
            .count();
    }
    std::int64_t seconds = 0;
    auto const [end, bad] = std::from_chars(fixed.data(), fixed.data() + fixed.size(), seconds);
    if (bad != std::errc{} || end != fixed.data() + fixed.size() || seconds < 0) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("SOURCE_DATE_EPOCH is '{}': set it to seconds since 1970, or unset it", fixed));
    }
    return seconds;
}

device::DeviceConfig default_device_config(system::Target const& target, ProjectConfig const& config) {
    device::DeviceConfig device = system::device_config(target.description);
    device.platform = config.target;
    device.product = config.name;
    device.version = config.version;
    device.application.name = config.name;
    device.application.command = {"/srv/app/bin/" + config.name};
    return device;
}

Result<SigningKey> signing_key(Work const& work) {
    TRY(auto key, work.keys.signing_key(work.project.config().firmware.signing_key, work.project.folder()));
    if (key.origin == KeyOrigin::made) {
        work.context.console().warn(fmt::format(
            "made a signing key for development, {}; devices of this project will accept updates signed with "
            "it. Make one of your own for production with `sinew key generate NAME`",
            key.path.string()));
    }
    return key;
}

/// What the project's sinew.toml lays over `config`, checked as the device will check it.
template<typename Config>
Result<> lay_over(Work const& work, Config& config, Value const& overlay, std::string_view table) {
    auto const file = (work.project.folder() / "sinew.toml").string();
    if (overlay.get_if<Value::Object>() != nullptr) {
        TRY_OK(decode_onto(config, overlay, file));
    }
    return device::check(config, fmt::format("{}: [{}]", file, table));
}

/// What is known before anything is built, so that a mistake costs no minutes.
struct Access {
    device::DeviceConfig device;
    std::vector<std::string> authorized_keys;
};

/// The keys for development lie on many machines, unprotected.
Result<> check_production(ProjectConfig const& config) {
    if (config.firmware.signing_key == development_key) {
        return failure(ErrorCode::invalid_argument, "sinew.toml: firmware.signing_key is \"development\", "
                                                    "which isn't for production: make a key with "
                                                    "`sinew key generate production`, and name it there");
    }
    auto const& keys = config.ssh.authorized_keys;
    if (std::ranges::find(keys, development_key) != keys.end() ||
        std::ranges::find(config.firmware.trusted_keys, development_key) !=
            config.firmware.trusted_keys.end()) {
        return failure(
            ErrorCode::invalid_argument,
            "sinew.toml: ssh.authorized_keys or firmware.trusted_keys has \"development\", which isn't for "
            "production: name keys of those who may log in and sign");
    }
    return {};
}

Result<Access> settings_of_access(Work const& work, system::Target const& target) {
    ProjectConfig const& config = work.project.config();
    Access access{.device = default_device_config(target, config), .authorized_keys = {}};
    if (work.options.purpose == system::Purpose::production) {
        TRY_OK(check_production(config));
        system::leave_out_development(target.description.development, access.device);
    }
    TRY_OK(lay_over(work, access.device, config.device, "device"));
    TRY(auto const lines, authorized_keys(work.keys, config.ssh.authorized_keys, work.project.folder()));
    for (auto const line : split_nonempty(lines, '\n')) {
        access.authorized_keys.emplace_back(line);
    }
    if (access.authorized_keys.empty() && access.device.ssh.enabled) {
        return failure(
            ErrorCode::invalid_argument,
            "sinew.toml: ssh.authorized_keys is empty: nobody could log in to the device, or update it over "
            "the network; name a key, or write `enabled = false` below [device.ssh]");
    }
    return access;
}

Result<> add_trust(Work const& work, SigningKey const& key, system::FirmwareOptions& options) {
    ProjectConfig const& config = work.project.config();
    options.public_keys.emplace(config.name + ".pub", key.key.public_key().base64());
    for (std::string const& name : config.firmware.trusted_keys) {
        TRY(auto const trusted, work.keys.trusted_key(name, work.project.folder()));
        options.public_keys.emplace(fs::path(name).stem().string() + ".pub", trusted.base64());
    }
    return {};
}

/// init.toml: what the system says, then what the project's sinew.toml lays over it.
Result<device::InitConfig> settings_of_init(Work const& work, system::BuiltSystem const& built,
                                            std::int64_t build_time) {
    system::Description const& description = built.target.description;
    TRY(auto const layout, system::compute_layout(description));
    auto init = system::init_config(description, layout, built.modules, build_time);
    if (work.options.purpose == system::Purpose::production) {
        system::leave_out_development(description.development, init);
    }
    TRY_OK(lay_over(work, init, work.project.config().init, "init"));
    return init;
}

Result<> add_overlays(Work const& work, system::FirmwareOptions& options) {
    for (std::string const& name : work.project.config().firmware.rootfs_overlay) {
        fs::path const folder = work.project.folder() / name;
        if (!fs::is_directory(folder)) {
            return failure(
                ErrorCode::not_found,
                fmt::format(
                    "sinew.toml: firmware.rootfs_overlay names '{}', but there is no such folder in {}", name,
                    work.project.folder().string()));
        }
        options.overlays.push_back(folder);
    }
    return {};
}

Result<system::FirmwareInputs> assemble(Work const& work, system::BuiltSystem const& built,
                                        system::FirmwareOptions options, SigningKey const& key) {
    StepTimer const timer(work.context.console(), "root file system, initramfs, scripts");
    ProjectConfig const& config = work.project.config();
    options.identity = {.product = config.name,
                        .version = config.version,
                        .description = config.description,
                        .author = config.author,
                        .vcs_identifier = {}};
    options.private_key = key.key;
    options.output = work.output_folder / "parts";
    TRY_OK(add_overlays(work, options));
    TRY_OK(add_trust(work, key, options));
    return system::assemble_firmware_inputs(built, options);
}

Result<firmware::CreateReport> pack(Work const& work, system::FirmwareInputs const& inputs,
                                    SigningKey const& key, fs::path const& archive) {
    Console& console = work.context.console();
    StepTimer const timer(console, "archive");
    firmware::CreateOptions options;
    options.script = inputs.update_script;
    options.output = archive;
    // The large parts are compressed already.
    options.compression_level = 5;
    options.private_key = key.key;
    options.on_warning = [&console](std::string const& warning) { console.warn(warning); };
    options.on_progress = [&console](firmware::Progress const& progress) {
        console.progress("packing", static_cast<std::uint64_t>(progress.percent), 100, ProgressUnit::percent);
    };
    auto report = firmware::create_archive(options);
    console.end_progress();
    return report;
}

} // namespace

Result<FirmwareBuild> build_firmware(Context const& context, Project const& project,
                                     FirmwareBuildOptions const& options) {
    TRY(auto root, context.root());
    Work const work{context,
                    project,
                    options,
                    root,
                    project.build_folder(project.config().target),
                    KeyStore(context.paths().home)};
    fs::path const archive = options.output.empty() ? project.firmware_path() : options.output;
    std::error_code problem;
    fs::create_directories(work.output_folder, problem);
    if (problem) {
        return std::unexpected(error_from_errno(problem.value(), work.output_folder.string()));
    }
    TRY(auto const lock,
        system::lock_by_name(work.output_folder / "firmware.lock", [&context](std::string const& holder) {
            context.console().warn(
                fmt::format("waiting for {}, which builds this project's firmware", holder));
        }));
    InterruptNotice const notice;
    StepTimer const timer(context.console(), "in all");
    TRY(auto const target, system::load_system(root / "systems", project.config().target));
    system::FirmwareOptions parts{.purpose = options.purpose};
    TRY(auto access, settings_of_access(work, target));
    TRY(auto const key, signing_key(work));
    parts.device = std::move(access.device);
    parts.authorized_keys = std::move(access.authorized_keys);
    TRY(parts.build_time, build_time());
    TRY(auto const built, prepare_system(work, target));
    TRY(parts.init, settings_of_init(work, built, parts.build_time));
    TRY(parts.programs, find_device_programs(work, built));
    TRY(auto const program, build_application(work, built));
    TRY(parts.application, lay_out_application(work, program));
    TRY(auto const inputs, assemble(work, built, std::move(parts), key));
    TRY(auto report, pack(work, inputs, key, archive));
    return FirmwareBuild{archive, std::move(report), inputs.rootfs_parts};
}

} // namespace sinew::tooling
