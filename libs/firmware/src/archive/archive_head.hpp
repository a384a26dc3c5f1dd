/// The beginning of an archive: its signature and its meta.conf.
///
/// Invariant: a config comes out of here only if the signature was good, where one was asked for. Threading:
/// free functions.
#pragma once

#include "archive/zip_reader.hpp"
#include "script/config.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sinew::firmware {

inline constexpr std::string_view signature_name = "meta.conf.ed25519";
inline constexpr std::string_view meta_conf_name = "meta.conf";
inline constexpr std::size_t smallest_meta_conf = 10;
inline constexpr std::size_t largest_meta_conf = 49'999;

/// Where a resource is stored: "data/NAME", or NAME without its slash if it begins with one.
/// Error invalid_argument: a name that may not be used.
[[nodiscard]] Result<std::string> resource_path(std::string_view name);

struct ArchiveHead {
    std::optional<Signature> signature;
    std::string meta_conf;
    /// Seconds since 1970, from meta.conf's entry.
    std::int64_t created = 0;
    /// What is noted beside meta.conf (archive/notes.hpp); not covered by the signature.
    Bytes notes{};
};

/// Reads the first one or two entries. Errors: corrupt: not an archive of ours, or a meta.conf of impossible
/// size.
[[nodiscard]] Result<ArchiveHead> read_head(ZipReader& archive);

/// Error denied: no signature, or one made by none of `keys`. With no keys everything is accepted.
[[nodiscard]] Result<> check_signature(ArchiveHead const& head, std::span<PublicKey const> keys);

struct ParsedHead {
    Section config;
    Metadata metadata;
};

/// Parses meta.conf; "${FWUP_META_...}" and the variables of the device are expanded in it.
[[nodiscard]] Result<ParsedHead> parse_head(ArchiveHead const& head, Variables variables);

/// Error invalid_argument: the archive is for another platform.
[[nodiscard]] Result<> check_platform(Metadata const& metadata, std::optional<std::string> const& expected);

/// "2026-11-22T22:05:00Z"
[[nodiscard]] std::string iso_time(std::int64_t seconds);

} // namespace sinew::firmware
