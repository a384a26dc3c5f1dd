// `sinew fw`: archives by hand, through the same engine as fwup.
#include <sinew/firmware.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/keys.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string archive;
    std::string script;
    std::string output;
    std::string disk;
    std::string task = "complete";
    std::string key;
    std::string old_archive;
    bool vcdiff = false;
    std::vector<std::string> trusted;
    std::int64_t level = 5;
    bool zstd = false;
    bool partial = false;
    bool trim = false;
    bool verify_writes = false;
    bool minimize_writes = false;
    bool unsafe = false;
    std::int64_t max_size_blocks = 0;
};

/// "blinky 1.2.0", or the nickname of an archive whose script has no such names.
std::string name_of(firmware::Metadata const& metadata) {
    if (metadata.product.empty() || metadata.version.empty()) {
        return '"' + metadata.nickname + '"';
    }
    return metadata.product + ' ' + metadata.version;
}

/// The keys that may have signed. Without --key every archive is accepted, unsigned ones too.
Result<std::vector<firmware::PublicKey>> trusted_keys(Context const& context, Options const& options) {
    KeyStore const store(context.paths().home);
    std::vector<firmware::PublicKey> keys;
    for (std::string const& name : options.trusted) {
        TRY(auto const key, store.trusted_key(name, fs::current_path()));
        keys.push_back(key);
    }
    return keys;
}

Result<std::optional<firmware::PrivateKey>> private_key(Context const& context, std::string const& name) {
    if (name.empty()) {
        return std::nullopt;
    }
    TRY(auto const found, KeyStore(context.paths().home).signing_key(name, fs::current_path()));
    return found.key;
}

auto show_progress(Console& console, std::string_view label) {
    return [&console, label](firmware::Progress const& progress) {
        console.progress(label, static_cast<std::uint64_t>(progress.percent), 100);
    };
}

Value metadata_json(firmware::Metadata const& metadata) {
    Value::Array resources;
    for (firmware::ResourceInfo const& resource : metadata.resources) {
        resources.push_back(object({{"name", resource.name},
                                    {"size_bytes", resource.size_bytes},
                                    {"blake2b_256", resource.blake2b_256}}));
    }
    Value::Array tasks;
    for (std::string const& task : metadata.tasks) {
        tasks.emplace_back(Value::Data(task));
    }
    return object({{"product", metadata.product},
                   {"version", metadata.version},
                   {"description", metadata.description},
                   {"author", metadata.author},
                   {"platform", metadata.platform},
                   {"architecture", metadata.architecture},
                   {"creation_date", metadata.creation_date},
                   {"uuid", metadata.uuid},
                   {"nickname", metadata.nickname},
                   {"signed", metadata.is_signed},
                   {"tasks", std::move(tasks)},
                   {"resources", std::move(resources)}});
}

Result<int> create(Context& context, Options const& options) {
    Console& console = context.console();
    firmware::CreateOptions wanted;
    wanted.script = options.script;
    wanted.output = options.output;
    wanted.compression_level = static_cast<int>(std::clamp<std::int64_t>(options.level, 0, 10));
    wanted.compression = options.zstd ? firmware::Compression::zstd : firmware::Compression::deflate;
    TRY(wanted.private_key, private_key(context, options.key));
    wanted.on_warning = [&console](std::string const& warning) { console.warn(warning); };
    wanted.on_progress = show_progress(console, "packing");
    TRY(auto const report, firmware::create_archive(wanted));
    console.end_progress();
    console.success(fmt::format("{}: {}, UUID {} ({})", options.output, format_size(report.archive_bytes),
                                report.metadata.uuid, report.metadata.nickname));
    console.result(metadata_json(report.metadata));
    return 0;
}

Result<firmware::ApplyOptions> apply_options(Context const& context, Options const& options) {
    firmware::ApplyOptions wanted;
    wanted.task = options.task;
    wanted.hardware_trim = options.trim ? firmware::HardwareTrim::on : firmware::HardwareTrim::off;
    wanted.verify_writes = options.verify_writes ? firmware::VerifyWrites::yes : firmware::VerifyWrites::no;
    wanted.minimize_writes =
        options.minimize_writes ? firmware::MinimizeWrites::yes : firmware::MinimizeWrites::no;
    wanted.unsafe = options.unsafe ? firmware::Unsafe::allowed : firmware::Unsafe::refused;
    if (options.max_size_blocks < 0) {
        return failure(ErrorCode::invalid_argument, "--max-size takes a number of blocks from 1 on");
    }
    if (options.max_size_blocks > 0) {
        wanted.most_blocks = static_cast<std::uint64_t>(options.max_size_blocks);
    }
    TRY(wanted.public_keys, trusted_keys(context, options));
    return wanted;
}

Result<int> apply(Context& context, Options const& options) {
    Console& console = context.console();
    TRY(auto input, firmware::FileInput::open(options.archive));
    TRY(auto wanted, apply_options(context, options));
    TRY(auto disk, firmware::FileDevice::open(options.disk, firmware::DeviceAccess::create));
    if (disk->device_number()) {
        wanted.verify_writes = firmware::VerifyWrites::yes;
    }
    wanted.on_message = [&console](firmware::MessageKind kind, std::string const& text) {
        kind == firmware::MessageKind::info ? console.say(text) : console.warn(text);
    };
    wanted.on_progress = show_progress(console, "writing");
    TRY(auto const report, firmware::apply_archive(*input, *disk, wanted));
    console.end_progress();
    console.success(fmt::format("{}: task {} is on {}", options.archive, report.task, options.disk));
    console.result(object({{"task", report.task},
                           {"bytes_in", report.bytes_in},
                           {"bytes_out", report.bytes_out},
                           {"metadata", metadata_json(report.metadata)}}));
    return 0;
}

Result<int> metadata(Context& context, Options const& options) {
    TRY(auto const found, firmware::read_metadata(options.archive));
    std::string text = firmware::format_metadata(found);
    text.resize(text.find_last_not_of('\n') + 1);
    context.console().say(text);
    context.console().result(metadata_json(found));
    return 0;
}

Result<int> list(Context& context, Options const& options) {
    TRY(auto const found, firmware::read_metadata(options.archive));
    context.console().say("tasks: " + join(found.tasks));
    for (firmware::ResourceInfo const& resource : found.resources) {
        context.console().say(fmt::format("{:>10}  {}", format_size(resource.size_bytes), resource.name));
    }
    context.console().result(metadata_json(found));
    return 0;
}

/// Status 0: it is whole; 1: it isn't, and the number that was printed says from where to go on.
Result<int> verify_part(Context& context, Options const& options, firmware::VerifyOptions const& wanted) {
    Console& console = context.console();
    TRY(auto const found, firmware::verify_partial(options.archive, wanted));
    console.end_progress();
    if (found.is_complete) {
        console.success(fmt::format("{} is whole.", options.archive));
    } else {
        console.warn(found.trouble);
        console.say(fmt::format("The first {} bytes are good: cut it there, and go on from there.",
                                found.good_bytes));
    }
    console.result(object(
        {{"complete", found.is_complete}, {"good_bytes", found.good_bytes}, {"trouble", found.trouble}}));
    return found.is_complete ? 0 : 1;
}

Result<int> verify(Context& context, Options const& options) {
    Console& console = context.console();
    firmware::VerifyOptions wanted;
    TRY(wanted.public_keys, trusted_keys(context, options));
    wanted.on_progress = show_progress(console, "verifying");
    if (options.partial) {
        return verify_part(context, options, wanted);
    }
    TRY(auto const found, firmware::verify_archive(options.archive, wanted));
    console.end_progress();
    std::string const signature = !wanted.public_keys.empty() ? "signed by a trusted key"
                                  : found.is_signed           ? "signed (name a --key to check by whom)"
                                                              : "not signed";
    console.success(fmt::format("{} is whole and {}.", options.archive, signature));
    console.result(metadata_json(found));
    return 0;
}

Result<int> sign(Context& context, Options const& options) {
    TRY(auto const found, KeyStore(context.paths().home).signing_key(options.key, fs::current_path()));
    std::string const& output = options.output.empty() ? options.archive : options.output;
    TRY_OK(firmware::sign_archive(options.archive, output, found.key));
    context.console().success(fmt::format("{} is signed with {}.", output, options.key));
    context.console().result(object({{"archive", output}, {"key", options.key}}));
    return 0;
}

Result<int> delta(Context& context, Options const& options) {
    Console& console = context.console();
    firmware::DeltaOptions wanted;
    wanted.from = options.old_archive;
    wanted.to = options.archive;
    wanted.output = options.output;
    wanted.form = options.vcdiff ? firmware::DeltaForm::vcdiff : firmware::DeltaForm::segments;
    wanted.on_progress = show_progress(console, "comparing");
    TRY(auto const report, firmware::make_delta_archive(wanted));
    console.end_progress();
    Value::Array patched;
    for (firmware::DeltaResource const& resource : report.patched) {
        console.say(fmt::format("{:>10}  {} (in full {})", format_size(resource.delta_bytes), resource.name,
                                format_size(resource.full_bytes)));
        patched.push_back(object({{"name", resource.name},
                                  {"full_bytes", resource.full_bytes},
                                  {"delta_bytes", resource.delta_bytes}}));
    }
    console.success(fmt::format("{}: {} instead of {}, for devices that run {}.", options.output,
                                format_size(report.archive_bytes), format_size(report.full_archive_bytes),
                                name_of(report.from)));
    console.result(object({{"archive", options.output},
                           {"from_uuid", report.from.uuid},
                           {"to_uuid", report.to.uuid},
                           {"archive_bytes", report.archive_bytes},
                           {"full_archive_bytes", report.full_archive_bytes},
                           {"patched", std::move(patched)}}));
    return 0;
}

using Shared = std::shared_ptr<Options>;
using Action = Result<int> (*)(Context&, Options const&);

Argument archive_argument(Shared const& options) {
    return {.names = "ARCHIVE",
            .target = &options->archive,
            .help = "The .fw file",
            .required = true,
            .completes = Completes::file};
}

Argument output_option(Shared const& options, bool required) {
    return {.names = "--output,-o",
            .target = &options->output,
            .help = "The archive to write",
            .value_name = "FILE",
            .required = required,
            .completes = Completes::file};
}

Argument signing_option(Shared const& options, bool required) {
    return {.names = "--key,-k",
            .target = &options->key,
            .help = "Signing key: a name or a private key file",
            .value_name = "KEY",
            .required = required};
}

Argument trust_option(Shared const& options) {
    return {.names = "--key,-k",
            .target = &options->trusted,
            .help = "Accept only what this key signed: a name or a public key file; may be repeated",
            .value_name = "KEY"};
}

std::vector<Argument> apply_arguments(Shared const& options) {
    return {{.names = "--disk,-d",
             .target = &options->disk,
             .help = "A disk or an image file, made if missing",
             .value_name = "DISK",
             .required = true,
             .completes = Completes::file},
            {.names = "--task,-t",
             .target = &options->task,
             .help = "Which task (default complete)",
             .value_name = "TASK"},
            trust_option(options),
            {.names = "--max-size",
             .target = &options->max_size_blocks,
             .help = "Write nothing behind this; partitions expand up to it",
             .value_name = "BLOCKS"},
            {.names = "--trim", .target = &options->trim, .help = "Let trim() discard blocks of a real disk"},
            {.names = "--verify-writes",
             .target = &options->verify_writes,
             .help = "Read back what was written (a disk always is)"},
            {.names = "--minimize-writes",
             .target = &options->minimize_writes,
             .help = "Leave blocks alone that hold the right content already"},
            {.names = "--unsafe",
             .target = &options->unsafe,
             .help = "Let the archive run commands and write elsewhere; only if you trust it"}};
}

Command subcommand(Shared const& options, Command command, Action action) {
    command.run = [options, action](Context& context) { return action(context, *options); };
    return command;
}

Command delta_command(Shared const& options) {
    return subcommand(options,
                      {.name = "delta",
                       .summary = "Make an archive of only what changed, for devices that run OLD",
                       .examples = {{"sinew fw delta old.fw new.fw -o update.fw", "signed as new.fw is"}},
                       .options = {output_option(options, true),
                                   {.names = "--vcdiff",
                                    .target = &options->vcdiff,
                                    .help = "In the form that an original fwup applies too; larger"}},
                       .positionals = {{.names = "OLD",
                                        .target = &options->old_archive,
                                        .help = "The .fw file that the devices run",
                                        .required = true,
                                        .completes = Completes::file},
                                       archive_argument(options)}},
                      delta);
}

std::vector<Command> subcommands(Shared const& options) {
    Argument const archive = archive_argument(options);
    Argument const script{.names = "--script,-f",
                          .target = &options->script,
                          .help = "The update script (fwup.conf)",
                          .value_name = "FILE",
                          .required = true,
                          .completes = Completes::file};
    return {
        subcommand(options,
                   {.name = "create",
                    .summary = "Make an archive from an update script",
                    .examples = {{"sinew fw create -f fwup.conf -o app.fw -k production", "and sign it"}},
                    .options = {script,
                                output_option(options, true),
                                signing_option(options, false),
                                {.names = "--level",
                                 .target = &options->level,
                                 .help = "Compression, 1 (fast) to 9 (small); 5 by default",
                                 .value_name = "N"},
                                {.names = "--zstd",
                                 .target = &options->zstd,
                                 .help = "By zstd: smaller, made faster, but an original fwup refuses it"}}},
                   create),
        subcommand(options,
                   {.name = "apply",
                    .summary = "Apply a task of an archive to a disk or an image file",
                    .examples = {{"sinew fw apply app.fw -d disk.img -t complete", "a fresh image"}},
                    .options = apply_arguments(options),
                    .positionals = {archive}},
                   apply),
        subcommand(options,
                   {.name = "metadata",
                    .summary = "Print what an archive says about itself",
                    .examples = {{"sinew fw metadata app.fw", "product, version, platform, UUID"}},
                    .positionals = {archive}},
                   metadata),
        subcommand(options,
                   {.name = "verify",
                    .summary = "Check an archive's signature, structure and hashes",
                    .examples = {{"sinew fw verify app.fw -k production", "and that this key signed it"},
                                 {"sinew fw verify --partial app.fw.part", "where to go on from"}},
                    .options = {trust_option(options),
                                {.names = "--partial",
                                 .target = &options->partial,
                                 .help = "Of a download that broke off, tell how much is good"}},
                    .positionals = {archive}},
                   verify),
        subcommand(options,
                   {.name = "list",
                    .summary = "List an archive's tasks and resources",
                    .examples = {{"sinew fw list app.fw", "with their sizes"}},
                    .positionals = {archive}},
                   list),
        subcommand(
            options,
            {.name = "sign",
             .summary = "Sign an archive, or sign it anew",
             .examples = {{"sinew fw sign app.fw -k production -o release.fw", "the payload stays as it is"}},
             .options = {signing_option(options, true), output_option(options, false)},
             .positionals = {archive}},
            sign),
        delta_command(options)};
}

} // namespace

Command fw_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "fw", .summary = "Create, apply, inspect, verify and sign .fw archives by hand"};
    command.examples = {{"sinew fw metadata build/x86_64/blinky.fw", "product, version, platform, UUID"},
                        {"sinew fw verify build/x86_64/blinky.fw -k development", "signature and hashes"}};
    command.subcommands = subcommands(options);
    return command;
}

} // namespace sinew::tooling
