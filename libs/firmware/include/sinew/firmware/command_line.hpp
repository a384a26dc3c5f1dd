/// What a command line asks of the engine, and the actions that carry it out.
///
/// `fwup` and `sinew fw` are thin over this: what is their own is how options are called, where keys come
/// from and what is printed. Threading: plain values, and free functions that block.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/verify.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

/// The options as they are given; each action takes those it knows.
struct CommandLine {
    /// A .fw file.
    std::string archive = {};
    /// The update script, or its name for errors if `script_text` is the script.
    std::string script = {};
    std::optional<std::string> script_text = {};
    /// The archive to write.
    std::string output = {};
    /// A disk or an image file, made if missing.
    std::string disk = {};
    std::string task = {};
    /// See ApplyOptions and VerifyOptions.
    std::vector<PublicKey> public_keys = {};
    std::optional<std::string> platform = {};
    std::optional<PrivateKey> private_key = {};
    std::int64_t compression_level = 5;
    bool zstd = false;
    bool allow_overlaps = false;
    bool trim = false;
    bool unsafe = false;
    bool minimize_writes = false;
    bool explain_conditions = false;
    /// With neither, what is written to a disk is read back, and what is written to an image file isn't.
    bool verify_writes = false;
    bool no_verify_writes = false;
    /// 0: as long as the disk is.
    std::int64_t max_size_blocks = 0;
    /// See ApplyOptions.
    std::string reboot_param_path = {};
};

/// Who is told while an action runs. Both may be empty.
struct Listener {
    std::function<void(Progress const&)> on_progress;
    std::function<void(MessageKind, std::string const&)> on_message;
};

/// create_archive(), apply_archive(), verify_archive() and verify_partial() with what was asked for; errors
/// are theirs.
[[nodiscard]] Result<CreateReport> run_create(CommandLine const& wanted, Listener const& listener);
/// Opens the disk, too. Error invalid_argument, besides: a negative size.
[[nodiscard]] Result<ApplyReport> run_apply(CommandLine const& wanted, InputStream& archive,
                                            Listener const& listener);
[[nodiscard]] Result<Metadata> run_verify(CommandLine const& wanted, InputStream& archive,
                                          Listener const& listener);
[[nodiscard]] Result<PartialReport> run_verify_part(CommandLine const& wanted, InputStream& archive,
                                                    Listener const& listener);
/// Signs `archive` with `private_key` into `output` or, without one, in place. Returns the name of what it
/// wrote. Errors: invalid_argument: no key; see sign_archive().
[[nodiscard]] Result<std::string> run_sign(CommandLine const& wanted);

} // namespace sinew::firmware
