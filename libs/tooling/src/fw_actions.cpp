// See fw_actions.hpp.
#include "fw_actions.hpp"

#include <sinew/firmware.hpp>
#include <sinew/tooling/keys.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::tooling::fw {

namespace fs = std::filesystem;

namespace {

/// "blinky 1.2.0", or the nickname of an archive whose script has no such names.
std::string name_of(firmware::Metadata const& metadata) {
    if (metadata.product.empty() || metadata.version.empty()) {
        return '"' + metadata.nickname + '"';
    }
    return printable(metadata.product) + ' ' + printable(metadata.version);
}

/// An error that says which file it is about.
std::unexpected<Error> about(std::string const& archive, Error const& error) {
    return std::unexpected(Error(error.code(), archive + ": " + error.message(), error.sys_errno()));
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

/// `label` says what goes on.
firmware::Listener listener(Console& console, std::string_view label) {
    return {[&console, label](firmware::Progress const& progress) {
                console.progress(label, static_cast<std::uint64_t>(progress.percent), 100);
            },
            [&console](firmware::MessageKind kind, std::string const& text) {
                kind == firmware::MessageKind::info ? console.say(printable(text, LineFeed::kept))
                                                    : console.warn(text);
            }};
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

/// Status 0: it is whole; 1: it isn't, and the number that was printed says from where to go on.
Result<int> verify_part(Context& context, firmware::CommandLine const& wanted, firmware::InputStream& input) {
    Console& console = context.console();
    auto const checked = firmware::run_verify_part(wanted, input, listener(console, "verifying"));
    if (!checked) {
        return about(wanted.archive, checked.error());
    }
    auto const& found = *checked;
    console.end_progress();
    if (found.is_complete) {
        console.success(fmt::format("{} is whole.", wanted.archive));
    } else {
        console.warn(found.trouble);
        console.say(fmt::format("The first {} bytes are good: cut it there, and go on from there.",
                                found.good_bytes));
    }
    console.result(object(
        {{"complete", found.is_complete}, {"good_bytes", found.good_bytes}, {"trouble", found.trouble}}));
    return found.is_complete ? 0 : 1;
}

} // namespace

Result<int> create(Context& context, Options const& options) {
    Console& console = context.console();
    auto wanted = options.engine;
    TRY(wanted.private_key, private_key(context, options.key));
    TRY(auto const report, firmware::run_create(wanted, listener(console, "packing")));
    console.end_progress();
    console.success(fmt::format("{}: {}, UUID {} ({})", options.engine.output,
                                format_size(report.archive_bytes), report.metadata.uuid,
                                report.metadata.nickname));
    console.result(metadata_json(report.metadata));
    return 0;
}

Result<int> apply(Context& context, Options const& options) {
    Console& console = context.console();
    auto wanted = options.engine;
    TRY(auto const input, firmware::FileInput::open(wanted.archive));
    TRY(wanted.public_keys, trusted_keys(context, options));
    TRY(auto const report, firmware::run_apply(wanted, *input, listener(console, "writing")));
    console.end_progress();
    console.success(fmt::format("{}: task {} is on {}", options.engine.archive, printable(report.task),
                                options.engine.disk));
    console.result(object({{"task", report.task},
                           {"bytes_in", report.bytes_in},
                           {"bytes_out", report.bytes_out},
                           {"metadata", metadata_json(report.metadata)}}));
    return 0;
}

Result<int> metadata(Context& context, Options const& options) {
    TRY(auto const found, firmware::read_metadata(options.engine.archive));
    std::string text = firmware::format_metadata(found);
    text.resize(text.find_last_not_of('\n') + 1);
    context.console().say(text);
    context.console().result(metadata_json(found));
    return 0;
}

Result<int> list(Context& context, Options const& options) {
    TRY(auto const found, firmware::read_metadata(options.engine.archive));
    context.console().say("tasks: " + printable(join(found.tasks)));
    for (firmware::ResourceInfo const& resource : found.resources) {
        context.console().say(
            fmt::format("{:>10}  {}", format_size(resource.size_bytes), printable(resource.name)));
    }
    context.console().result(metadata_json(found));
    return 0;
}

Result<int> verify(Context& context, Options const& options) {
    Console& console = context.console();
    auto wanted = options.engine;
    TRY(wanted.public_keys, trusted_keys(context, options));
    TRY(auto const input, firmware::FileInput::open(wanted.archive));
    if (options.partial) {
        return verify_part(context, wanted, *input);
    }
    auto const checked = firmware::run_verify(wanted, *input, listener(console, "verifying"));
    if (!checked) {
        return about(wanted.archive, checked.error());
    }
    auto const& found = *checked;
    console.end_progress();
    std::string const signature = !wanted.public_keys.empty() ? "signed by a trusted key"
                                  : found.is_signed           ? "signed (name a --key to check by whom)"
                                                              : "not signed";
    console.success(fmt::format("{} is whole and {}.", options.engine.archive, signature));
    console.result(metadata_json(found));
    return 0;
}

Result<int> sign(Context& context, Options const& options) {
    auto wanted = options.engine;
    TRY(auto const found, KeyStore(context.paths().home).signing_key(options.key, fs::current_path()));
    wanted.private_key = found.key;
    TRY(auto const output, firmware::run_sign(wanted));
    context.console().success(fmt::format("{} is signed with {}.", output, options.key));
    context.console().result(object({{"archive", output}, {"key", options.key}}));
    return 0;
}

Result<int> delta(Context& context, Options const& options) {
    Console& console = context.console();
    firmware::DeltaOptions wanted;
    wanted.from = options.old_archive;
    wanted.to = options.engine.archive;
    wanted.output = options.engine.output;
    wanted.form = options.vcdiff ? firmware::DeltaForm::vcdiff : firmware::DeltaForm::segments;
    wanted.on_progress = listener(console, "comparing").on_progress;
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
    console.success(fmt::format("{}: {} instead of {}, for devices that run {}.", options.engine.output,
                                format_size(report.archive_bytes), format_size(report.full_archive_bytes),
                                name_of(report.from)));
    console.result(object({{"archive", options.engine.output},
                           {"from_uuid", report.from.uuid},
                           {"to_uuid", report.to.uuid},
                           {"archive_bytes", report.archive_bytes},
                           {"full_archive_bytes", report.full_archive_bytes},
                           {"patched", std::move(patched)}}));
    return 0;
}

} // namespace sinew::tooling::fw
