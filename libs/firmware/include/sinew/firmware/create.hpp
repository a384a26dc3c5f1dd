/// Makes an archive from an update script.
///
/// Threading: blocks; a call shares nothing with another, except the files it is told to write.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

/// Whether `${NAME}` in a script may take its value from this process's environment.
enum class ProcessEnvironment : std::uint8_t { used, ignored };

/// How resources are stored.
enum class Compression : std::uint8_t {
    /// Every release of fwup reads it, and unzip does.
    deflate,
    /// A little smaller, and made in half the time; the original fwup and unzip refuse it.
    zstd,
};

/// Whether a task may write the same blocks, or the same resource, twice.
enum class Overlaps : std::uint8_t { refused, allowed };

struct CreateOptions {
    /// The update script. Relative names in it are relative to its folder.
    std::filesystem::path script;
    /// The script's text; with it, `script` need not exist and only gives the name for errors and the folder.
    std::optional<std::string> script_text;
    /// The archive to write. It appears whole or not at all.
    std::filesystem::path output;
    /// Variables of the script; they win over the process environment. SOURCE_DATE_EPOCH and NOW are honoured
    /// here too.
    std::map<std::string, std::string> variables;
    ProcessEnvironment process_environment = ProcessEnvironment::used;
    Compression compression = Compression::deflate;
    /// 1 (fast) .. 9 (small). Level 5 is up to 4 % larger than fwup's 9.
    int compression_level = 5;
    Overlaps overlaps = Overlaps::refused;
    /// How many cores compress; 0: all there are. It doesn't change the archive.
    unsigned cores = 0;
    std::optional<PrivateKey> private_key;
    /// A warning that doesn't stop the build, one sentence.
    std::function<void(std::string const&)> on_warning;
    std::function<void(Progress const&)> on_progress;
};

/// What one resource takes in the archive.
struct ResourceSize {
    std::string name;
    std::uint64_t size_bytes = 0;
    std::uint64_t compressed_bytes = 0;
};

struct CreateReport {
    Metadata metadata;
    /// In the order of the script.
    std::vector<ResourceSize> resources;
    std::uint64_t archive_bytes = 0;
};

/// Creates the archive. Errors: invalid_argument: "file:line:column: what is wrong" in the script, writes that
/// overlap included; not_found: a host-path doesn't exist; no_space: an assert-size failed or the disk is
/// full; io. On an error no archive is left and an older one at `output` stays as it was.
[[nodiscard]] Result<CreateReport> create_archive(CreateOptions const& options);

/// The text of meta.conf that create_archive() would store, byte for byte, without reading more than it must.
[[nodiscard]] Result<std::string> script_to_meta_conf(CreateOptions const& options);

} // namespace sinew::firmware
