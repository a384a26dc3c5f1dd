/// Applies a task of an archive to a disk, reading the archive once and forward only.
///
/// Order on the medium: payload streams out in whole segments; after a sync the small writes (partition
/// table, boot state, environment, file system tables) follow one by one, in the order in which the script
/// last touched them, each on the medium before the next. So what a script does last reaches the medium last:
/// that is its commit point. Nothing is written before the signature, the platform, the task's functions and
/// all sizes have been checked. Threading: blocks; one call at a time for a disk.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/running_system.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

enum class MessageKind : std::uint8_t { info, warning };

/// trim() on the medium itself, or only in what the engine believes of the content.
enum class HardwareTrim : std::uint8_t { off, on };

/// Whether a task may write elsewhere than to its disk and run commands: path_write(), pipe_write(),
/// ubi_volume_write(), execute() and require-execute(). They run with the rights of this process.
enum class Unsafe : std::uint8_t { refused, allowed };

/// What is written is read back from the medium after each sync, before anything that depends on it follows.
enum class VerifyWrites : std::uint8_t { no, yes };

/// For worn cards: blocks that already hold what is to be written are left alone.
enum class MinimizeWrites : std::uint8_t { no, yes };

/// Each condition of a task that was considered and isn't met, or can't be checked, is told by on_message.
enum class ExplainConditions : std::uint8_t { no, yes };

struct ApplyOptions {
    /// The first task whose name starts with this text and whose conditions all hold is applied.
    std::string task;
    /// Any one of them may have signed. Without a key the signature isn't checked.
    std::vector<PublicKey> public_keys;
    /// If set, meta-platform must be this.
    std::optional<std::string> expected_platform;
    HardwareTrim hardware_trim = HardwareTrim::off;
    Unsafe unsafe = Unsafe::refused;
    VerifyWrites verify_writes = VerifyWrites::no;
    MinimizeWrites minimize_writes = MinimizeWrites::no;
    ExplainConditions explain_conditions = ExplainConditions::no;
    /// The disk counts as this long, in blocks: nothing is written behind it, and partitions expand up to it.
    std::optional<std::uint64_t> most_blocks;
    /// `${NAME}` deferred to the device; they win over the process environment.
    std::map<std::string, std::string> variables;
    /// Where reboot_param() writes; empty: /run/systemd/reboot-param or /run/reboot-param.
    std::filesystem::path reboot_param_path;
    /// Bounds the output cache. 0: the archive's block-cache-size-mb, or 8.
    std::uint32_t cache_size_mb = 0;
    /// Who knows what is mounted; nullptr: the kernel. Borrowed.
    RunningSystem const* running_system = nullptr;
    std::function<void(MessageKind, std::string const&)> on_message;
    std::function<void(Progress const&)> on_progress;
};

struct ApplyReport {
    Metadata metadata;
    /// The task that was applied, e.g. "upgrade.b".
    std::string task;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

/// Applies. When it returns successfully everything is on the medium. Errors (see also verify_archive()):
/// not_found: no task of that name has its conditions met; no_space: a resource is larger than its slot
/// (nothing was written); denied: the task would write into the partition that is the running "/" (nothing
/// was written), or the signature; invalid_argument: wrong platform, unknown function, or the script's own
/// error(); corrupt; io. On an error the cached small writes are dropped, and the task's on-error part is run
/// and written.
[[nodiscard]] Result<ApplyReport> apply_archive(InputStream& archive, BlockDevice& disk,
                                                ApplyOptions const& options);

} // namespace sinew::firmware
