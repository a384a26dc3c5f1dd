// `sinew burn`: a firmware onto a card, or into an image file.
#include <sinew/tooling/burn.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/disks.hpp>
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string device;
    std::string image;
    std::string size;
    std::string firmware;
    bool erase = false;
    bool yes = false;
    bool list = false;
};

Result<fs::path> archive_of(Context const& context, Options const& options) {
    if (!options.firmware.empty()) {
        return fs::path(options.firmware);
    }
    TRY(auto const project, Project::load(context, fs::current_path()));
    if (!fs::exists(project.firmware_path())) {
        return failure(ErrorCode::not_found, fmt::format("there is no {} yet; make it with `sinew firmware`",
                                                         fs::proximate(project.firmware_path()).string()));
    }
    return project.firmware_path();
}

std::string list_text(std::vector<Disk> const& disks) {
    std::string text;
    for (Disk const& disk : disks) {
        text += "\n  " + describe(disk);
    }
    return text;
}

Result<Disk> choose_disk(Options const& options) {
    auto const disks = list_disks();
    if (options.device.empty()) {
        auto const candidates = burn_candidates(disks);
        if (candidates.size() == 1) {
            return candidates.front();
        }
        return failure(
            ErrorCode::not_found,
            candidates.empty()
                ? std::string("no card or USB stick is plugged in; plug one in, or name a disk (`sinew burn "
                              "--list` shows them) or an image file (`--image FILE`)")
                : fmt::format("there are several cards; name one of:{}", list_text(candidates)));
    }
    std::error_code none;
    fs::path const path = fs::canonical(options.device, none);
    for (Disk const& disk : disks) {
        if (disk.path == path || disk.name == options.device) {
            TRY_OK(check_burnable(disk));
            return disk;
        }
    }
    return failure(
        ErrorCode::not_found,
        fmt::format("{} is not a disk of this machine (a whole disk is wanted, not a partition); disks:{}",
                    options.device, list_text(disks)));
}

Result<> confirm(Console& console, Disk const& disk, Options const& options) {
    if (options.yes) {
        return {};
    }
    if (isatty(STDIN_FILENO) != 1) {
        return failure(ErrorCode::denied,
                       fmt::format("{} would be overwritten, and nobody can be asked; pass --yes to agree",
                                   describe(disk)));
    }
    console.say(fmt::format("{}\nEverything on it will be overwritten{}. Go on? [y/N] ", describe(disk),
                            options.erase ? "" : ", except /data if it is a Sinew disk of the same layout"));
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "y" && answer != "Y" && answer != "yes") {
        return failure(ErrorCode::cancelled, "nothing was written");
    }
    return {};
}

void report(Console& console, BurnReport const& done, std::string const& where) {
    firmware::Metadata const& metadata = done.metadata;
    bool const kept = done.data == DataFate::kept;
    console.success(fmt::format("{} {} is on {}.", metadata.product, metadata.version, where));
    console.say(kept ? "Its /data was kept (--erase would wipe it)." : "/data is blank.");
    console.result(object({{"destination", where},
                           {"product", metadata.product},
                           {"version", metadata.version},
                           {"uuid", metadata.uuid},
                           {"data_kept", kept}}));
}

Result<int> list(Console& console) {
    Value::Array entries;
    for (Disk const& disk : list_disks()) {
        auto const good = check_burnable(disk);
        console.say(
            fmt::format("{}  {}", describe(disk),
                        good ? disk.removable ? "" : "(not removable)" : "(" + good.error().message() + ")"));
        entries.push_back(object({{"path", disk.path.string()},
                                  {"size_bytes", disk.size_bytes},
                                  {"model", disk.model},
                                  {"removable", disk.removable},
                                  {"burnable", good.has_value()}}));
    }
    console.result(object({{"disks", std::move(entries)}}));
    return 0;
}

Result<int> burn(Context& context, Options const& options) {
    Console& console = context.console();
    if (options.list) {
        return list(console);
    }
    if (!options.image.empty() && !options.device.empty()) {
        return failure(ErrorCode::invalid_argument, "name a disk or --image FILE, not both");
    }
    if (options.image.empty() && !options.size.empty()) {
        return failure(ErrorCode::invalid_argument, "--size is for an image file; name it with --image FILE");
    }
    TRY(auto const archive, archive_of(context, options));
    if (!options.image.empty()) {
        ImageOptions image{.size_bytes = std::nullopt, .erase = options.erase};
        if (!options.size.empty()) {
            TRY(image.size_bytes, parse_size(options.size));
        }
        TRY(auto const done, burn_image(context, archive, options.image, image));
        report(console, done, options.image);
        return 0;
    }
    TRY(auto const disk, choose_disk(options));
    TRY_OK(confirm(console, disk, options));
    TRY(auto const done, burn_disk(context, archive, disk.path, options.erase));
    report(console, done, disk.path.string());
    return 0;
}

} // namespace

Command burn_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "burn", .summary = "Write the firmware to a card, or to an image file"};
    command.examples = {{"sinew burn", "to the one card that is plugged in, after asking"},
                        {"sinew burn /dev/sdb --yes", "to that disk, without asking"},
                        {"sinew burn --image blinky.img --size 2GiB", "to an image file"},
                        {"sinew burn --erase", "and wipe /data, which is kept otherwise"}};
    command.positionals = {{.names = "DISK",
                            .target = &options->device,
                            .help = "A whole disk, such as /dev/sdb",
                            .completes = Completes::file}};
    command.options = {{.names = "--image",
                        .target = &options->image,
                        .help = "Write to this image file, made if missing",
                        .value_name = "FILE",
                        .completes = Completes::file},
                       {.names = "--size",
                        .target = &options->size,
                        .help = "Size of a new image (default 1GiB)",
                        .value_name = "SIZE"},
                       {.names = "--firmware,-i",
                        .target = &options->firmware,
                        .help = "Another .fw than the project's",
                        .value_name = "FILE",
                        .completes = Completes::file},
                       {.names = "--erase", .target = &options->erase, .help = "Wipe /data too"},
                       {.names = "--yes,-y", .target = &options->yes, .help = "Don't ask"},
                       {.names = "--list,-l",
                        .target = &options->list,
                        .help = "List the disks and whether they may be overwritten"}};
    command.run = [options](Context& context) { return burn(context, *options); };
    return command;
}

} // namespace sinew::tooling
