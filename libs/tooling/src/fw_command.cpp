// `sinew fw`: archives by hand, through the same engine as fwup.
#include "fw_actions.hpp"

#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sinew::tooling {

namespace {

using Shared = std::shared_ptr<fw::Options>;
using Action = Result<int> (*)(Context&, fw::Options const&);

Argument archive_argument(Shared const& options) {
    return {.names = "ARCHIVE",
            .target = &options->engine.archive,
            .help = "The .fw file",
            .required = true,
            .completes = Completes::file};
}

Argument output_option(Shared const& options, bool required) {
    return {.names = "--output,-o",
            .target = &options->engine.output,
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
             .target = &options->engine.disk,
             .help = "A disk or an image file, made if missing",
             .value_name = "DISK",
             .required = true,
             .completes = Completes::file},
            {.names = "--task,-t",
             .target = &options->engine.task,
             .help = "Which task (default complete)",
             .value_name = "TASK"},
            trust_option(options),
            {.names = "--max-size",
             .target = &options->engine.max_size_blocks,
             .help = "Write nothing behind this; partitions expand up to it",
             .value_name = "BLOCKS"},
            {.names = "--trim",
             .target = &options->engine.trim,
             .help = "Let trim() discard blocks of a real disk"},
            {.names = "--verify-writes",
             .target = &options->engine.verify_writes,
             .help = "Read back what was written (a disk always is)"},
            {.names = "--minimize-writes",
             .target = &options->engine.minimize_writes,
             .help = "Leave blocks alone that hold the right content already"},
            {.names = "--unsafe",
             .target = &options->engine.unsafe,
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
                      fw::delta);
}

std::vector<Command> subcommands(Shared const& options) {
    Argument const archive = archive_argument(options);
    Argument const script{.names = "--script,-f",
                          .target = &options->engine.script,
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
                                 .target = &options->engine.compression_level,
                                 .help = "Compression, 1 (fast) to 9 (small); 5 by default",
                                 .value_name = "N"},
                                {.names = "--zstd",
                                 .target = &options->engine.zstd,
                                 .help = "By zstd: smaller, made faster, but an original fwup refuses it"},
                                {.names = "--allow-overlaps",
                                 .target = &options->engine.allow_overlaps,
                                 .help = "Let a task write the same blocks, or a resource, twice"}}},
                   fw::create),
        subcommand(options,
                   {.name = "apply",
                    .summary = "Apply a task of an archive to a disk or an image file",
                    .examples = {{"sinew fw apply app.fw -d disk.img -t complete", "a fresh image"}},
                    .options = apply_arguments(options),
                    .positionals = {archive}},
                   fw::apply),
        subcommand(options,
                   {.name = "metadata",
                    .summary = "Print what an archive says about itself",
                    .examples = {{"sinew fw metadata app.fw", "product, version, platform, UUID"}},
                    .positionals = {archive}},
                   fw::metadata),
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
                   fw::verify),
        subcommand(options,
                   {.name = "list",
                    .summary = "List an archive's tasks and resources",
                    .examples = {{"sinew fw list app.fw", "with their sizes"}},
                    .positionals = {archive}},
                   fw::list),
        subcommand(
            options,
            {.name = "sign",
             .summary = "Sign an archive, or sign it anew",
             .examples = {{"sinew fw sign app.fw -k production -o release.fw", "the payload stays as it is"}},
             .options = {signing_option(options, true), output_option(options, false)},
             .positionals = {archive}},
            fw::sign),
        delta_command(options)};
}

} // namespace

Command fw_command() {
    auto options = std::make_shared<fw::Options>();
    Command command{.name = "fw", .summary = "Create, apply, inspect, verify and sign .fw archives by hand"};
    command.examples = {{"sinew fw metadata build/x86_64/blinky.fw", "product, version, platform, UUID"},
                        {"sinew fw verify build/x86_64/blinky.fw -k development", "signature and hashes"}};
    command.subcommands = subcommands(options);
    return command;
}

} // namespace sinew::tooling
