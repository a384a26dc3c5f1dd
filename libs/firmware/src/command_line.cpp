/// From a command line's options to the engine's, once.
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/command_line.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/verify.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace sinew::firmware {

namespace {

Result<ApplyOptions> apply_options(CommandLine const& wanted, Listener const& listener) {
    if (wanted.max_size_blocks < 0) {
        return failure(ErrorCode::invalid_argument, "--max-size takes a number of blocks from 1 on");
    }
    ApplyOptions options;
    options.task = wanted.task;
    options.public_keys = wanted.public_keys;
    options.expected_platform = wanted.platform;
    options.hardware_trim = wanted.trim ? HardwareTrim::on : HardwareTrim::off;
    options.unsafe = wanted.unsafe ? Unsafe::allowed : Unsafe::refused;
    options.minimize_writes = wanted.minimize_writes ? MinimizeWrites::yes : MinimizeWrites::no;
    options.explain_conditions = wanted.explain_conditions ? ExplainConditions::yes : ExplainConditions::no;
    if (wanted.max_size_blocks > 0) {
        options.most_blocks = static_cast<std::uint64_t>(wanted.max_size_blocks);
    }
    options.reboot_param_path = wanted.reboot_param_path;
    options.on_message = listener.on_message;
    options.on_progress = listener.on_progress;
    return options;
}

VerifyOptions verify_options(CommandLine const& wanted, Listener const& listener) {
    return {wanted.public_keys, wanted.platform, listener.on_progress};
}

} // namespace

Result<CreateReport> run_create(CommandLine const& wanted, Listener const& listener) {
    CreateOptions options;
    options.script = wanted.script;
    options.script_text = wanted.script_text;
    options.output = wanted.output;
    // What is too much by far is refused as what is too much by one.
    options.compression_level = static_cast<int>(std::clamp<std::int64_t>(wanted.compression_level, 0, 10));
    options.compression = wanted.zstd ? Compression::zstd : Compression::deflate;
    options.overlaps = wanted.allow_overlaps ? Overlaps::allowed : Overlaps::refused;
    options.private_key = wanted.private_key;
    if (listener.on_message) {
        options.on_warning = [&](std::string const& text) {
            listener.on_message(MessageKind::warning, text);
        };
    }
    options.on_progress = listener.on_progress;
    return create_archive(options);
}

Result<ApplyReport> run_apply(CommandLine const& wanted, InputStream& archive, Listener const& listener) {
    TRY(auto options, apply_options(wanted, listener));
    TRY(auto const disk, FileDevice::open(wanted.disk, DeviceAccess::create));
    bool const by_default = !wanted.no_verify_writes && disk->device_number();
    options.verify_writes = wanted.verify_writes || by_default ? VerifyWrites::yes : VerifyWrites::no;
    return apply_archive(archive, *disk, options);
}

Result<Metadata> run_verify(CommandLine const& wanted, InputStream& archive, Listener const& listener) {
    return verify_archive(archive, verify_options(wanted, listener));
}

Result<PartialReport> run_verify_part(CommandLine const& wanted, InputStream& archive,
                                      Listener const& listener) {
    return verify_partial(archive, verify_options(wanted, listener));
}

Result<std::string> run_sign(CommandLine const& wanted) {
    if (!wanted.private_key) {
        return failure(ErrorCode::invalid_argument, "there is no key to sign " + wanted.archive + " with");
    }
    auto const& output = wanted.output.empty() ? wanted.archive : wanted.output;
    TRY_OK(sign_archive(wanted.archive, output, *wanted.private_key));
    return output;
}

} // namespace sinew::firmware
