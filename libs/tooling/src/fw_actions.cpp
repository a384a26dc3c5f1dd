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

} // namespace

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

} // namespace sinew::tooling::fw
