// `sinew firmware`: the project as a flashable, signed .fw.
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/firmware_build.hpp>
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <optional>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    bool locked = false;
    bool production = false;
    std::string output;
    std::string target;
};

Value size_json(FirmwareBuild const& build) {
    Value::Array parts;
    for (SizeLine const& line : size_lines(build.report)) {
        parts.push_back(object({{"name", line.name},
                                {"size_bytes", line.size_bytes},
                                {"compressed_bytes", line.compressed_bytes}}));
    }
    Value::Array rootfs;
    for (system::PartSize const& part : build.rootfs_parts) {
        rootfs.push_back(object({{"name", part.name}, {"size_bytes", part.size_bytes}}));
    }
    firmware::Metadata const& metadata = build.report.metadata;
    return object({{"archive", build.archive.string()},
                   {"product", metadata.product},
                   {"version", metadata.version},
                   {"platform", metadata.platform},
                   {"uuid", metadata.uuid},
                   {"nickname", metadata.nickname},
                   {"size_bytes", build.report.archive_bytes},
                   {"parts", std::move(parts)},
                   {"rootfs_parts", std::move(rootfs)}});
}

Result<int> make_firmware(Context& context, Options const& options) {
    TRY(auto project, Project::load(context, fs::current_path()));
    if (!options.target.empty()) {
        TRY_OK(context.check_target(options.target));
        project.set_target(options.target);
    }
    fs::path const output = options.output.empty() ? fs::path() : fs::absolute(options.output);
    TRY(auto const build, build_firmware(context, project,
                                         {.purpose = options.production ? system::Purpose::production
                                                                        : system::Purpose::development,
                                          .locked = options.locked,
                                          .output = output}));
    firmware::Metadata const& metadata = build.report.metadata;
    Console& console = context.console();
    console.say(format_size_report(build));
    console.success(fmt::format("{} {} for {}: {}", metadata.product, metadata.version, metadata.platform,
                                fs::proximate(build.archive).string()));
    console.say(fmt::format("UUID {} ({})", metadata.uuid, metadata.nickname));
    console.result(size_json(build));
    return 0;
}

} // namespace

Command firmware_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "firmware", .summary = "Build a flashable, signed firmware file (.fw)"};
    command.examples = {{"sinew firmware", "build/<target>/NAME.fw"},
                        {"sinew firmware --locked", "exactly the pinned packages, or an error"},
                        {"sinew firmware --production", "for devices that leave your desk"},
                        {"sinew firmware --verbose", "with the time each step took"},
                        {"sinew firmware --output blinky-1.0.fw --json", "for scripts"}};
    command.options = {{.names = "--output,-o",
                        .target = &options->output,
                        .help = "Where to put it",
                        .value_name = "FILE",
                        .completes = Completes::file},
                       {.names = "--target,-t",
                        .target = &options->target,
                        .help = "Another target than sinew.toml's",
                        .value_name = "TARGET",
                        .completes = Completes::target},
                       {.names = "--production",
                        .target = &options->production,
                        .help = "Leave out what only developers need; refuse the keys for development"},
                       {.names = "--locked",
                        .target = &options->locked,
                        .help = "Refuse when a pinned package is gone, instead of taking its successor"}};
    command.run = [options](Context& context) { return make_firmware(context, *options); };
    return command;
}

} // namespace sinew::tooling
