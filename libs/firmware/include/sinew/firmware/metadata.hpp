/// What an archive says about itself.
///
/// The UUID follows from the bytes of meta.conf alone: neither signing nor compression changes it.
/// Threading: plain values.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

/// One payload of an archive.
struct ResourceInfo {
    std::string name;
    /// Its size when written, holes included.
    std::uint64_t size_bytes = 0;
    /// 64 lower-case hexadecimal digits.
    std::string blake2b_256;
};

/// A field that the archive doesn't set is empty.
struct Metadata {
    std::string product;
    std::string description;
    std::string version;
    std::string author;
    std::string platform;
    std::string architecture;
    std::string vcs_identifier;
    std::string misc;
    std::string fwup_version;
    /// The modification time of meta.conf in the archive: "2026-11-22T22:05:00Z".
    std::string creation_date;
    /// "8-4-4-4-12" lower-case hexadecimal digits.
    std::string uuid;
    /// Two words that follow from the UUID, for people.
    std::string nickname;
    /// A signature is present. Whether it is a good one is for verify() to say.
    bool is_signed = false;
    std::vector<std::string> tasks;
    std::vector<ResourceInfo> resources;
};

/// Reads no further than meta.conf. Errors: corrupt: not an archive, truncated, or a meta.conf that can't be
/// read; denied: `public_keys` isn't empty and none of them signed it.
[[nodiscard]] Result<Metadata> read_metadata(InputStream& archive,
                                             std::span<PublicKey const> public_keys = {});
[[nodiscard]] Result<Metadata> read_metadata(std::filesystem::path const& archive);

/// `meta-version=1.2.0` lines, as `fwup -m` prints them, each ended by a line feed. A value that isn't a plain
/// word is in quotes. What a terminal would obey is written as C has it, so a value can't forge a line.
[[nodiscard]] std::string format_metadata(Metadata const& metadata);

/// The value of a field by the name of its option, "meta-version", as a terminal may be given it. Nothing:
/// the archive doesn't set it, or there is no such field.
[[nodiscard]] std::optional<std::string> metadata_value(Metadata const& metadata, std::string_view key);

/// The release of the original fwup whose behaviour this library follows: "1.16.0".
[[nodiscard]] std::string_view compatible_fwup_version();

/// The UUID text that belongs to the bytes of a meta.conf, and the nickname that belongs to a UUID text.
[[nodiscard]] std::string archive_uuid(BytesView meta_conf);
[[nodiscard]] std::string archive_nickname(std::string_view uuid);

} // namespace sinew::firmware
