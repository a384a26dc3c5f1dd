/// Signature first, then meta.conf; nothing of it is believed before it is checked.
#include "archive/archive_head.hpp"

#include "archive/zip_reader.hpp"
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

/// The whole content of the current entry, at most `limit` bytes.
Result<Bytes> read_entry(ZipReader& archive, ZipEntry const& entry, std::size_t limit) {
    Bytes content(limit + 1);
    std::size_t size = 0;
    while (true) {
        TRY(auto const count, archive.read(MutableBytesView(content).subspan(size)));
        if (count == 0) {
            break;
        }
        size += count;
        if (size > limit) {
            return failure(ErrorCode::corrupt, "'" + entry.name + "' in the archive is larger than " +
                                                   std::to_string(limit) +
                                                   " bytes; the archive wasn't made properly");
        }
    }
    content.resize(size);
    return content;
}

std::uint64_t total_length(Section const& resource) {
    std::uint64_t total = 0;
    for (auto const piece : resource.integers("length")) {
        total += piece > 0 ? static_cast<std::uint64_t>(piece) : 0;
    }
    return total;
}

Metadata make_metadata(Section const& config, ArchiveHead const& head) {
    Metadata metadata;
    metadata.product = config.text("meta-product");
    metadata.description = config.text("meta-description");
    metadata.version = config.text("meta-version");
    metadata.author = config.text("meta-author");
    metadata.platform = config.text("meta-platform");
    metadata.architecture = config.text("meta-architecture");
    metadata.vcs_identifier = config.text("meta-vcs-identifier");
    metadata.misc = config.text("meta-misc");
    metadata.fwup_version = config.text("meta-fwup-version");
    metadata.creation_date = iso_time(head.created);
    metadata.uuid = archive_uuid(as_bytes(head.meta_conf));
    metadata.nickname = archive_nickname(metadata.uuid);
    metadata.is_signed = head.signature.has_value();
    for (auto const& section : config.sections) {
        if (section.schema->name == "task") {
            metadata.tasks.push_back(section.title);
        } else if (section.schema->name == "file-resource") {
            metadata.resources.push_back(
                {section.title, total_length(section), std::string(section.text("blake2b-256"))});
        }
    }
    return metadata;
}

/// Who reads them shouldn't be told two different names of one archive.
Result<> check_names(Section const& config, Metadata const& metadata) {
    auto const check = [&](std::string_view option, std::string const& right) -> Result<> {
        auto const claimed = config.text(option);
        if (claimed.empty() || claimed == right) {
            return {};
        }
        return failure(ErrorCode::corrupt, "the archive's meta.conf claims " + std::string(option) + " '" +
                                               std::string(claimed.substr(0, 60)) + "', but that is '" +
                                               right + "'; the archive wasn't made properly");
    };
    TRY_OK(check("meta-uuid", metadata.uuid));
    return check("meta-nickname", metadata.nickname);
}

/// A field that the archive doesn't set is no variable, so that "${NAME:-fallback}" works.
void set_metadata_variables(Variables& variables, Metadata const& metadata) {
    auto const set = [&](std::string name, std::string const& value) {
        if (!value.empty()) {
            variables.set(std::move(name), value);
        }
    };
    set("FWUP_META_PRODUCT", metadata.product);
    set("FWUP_META_DESCRIPTION", metadata.description);
    set("FWUP_META_VERSION", metadata.version);
    set("FWUP_META_AUTHOR", metadata.author);
    set("FWUP_META_PLATFORM", metadata.platform);
    set("FWUP_META_ARCHITECTURE", metadata.architecture);
    set("FWUP_META_VCS_IDENTIFIER", metadata.vcs_identifier);
    set("FWUP_META_MISC", metadata.misc);
    set("FWUP_META_CREATION_DATE", metadata.creation_date);
    set("FWUP_META_UUID", metadata.uuid);
    set("FWUP_META_NICKNAME", metadata.nickname);
}

Result<Section> parse_meta_conf(ArchiveHead const& head, Variables& variables) {
    TRY(auto const script, parse_script(head.meta_conf, std::string(meta_conf_name), variables, {}));
    return build_config(script, Unknown::ignored);
}

} // namespace

std::string iso_time(std::int64_t seconds) {
    using namespace std::chrono;
    constexpr std::int64_t last_second_of_9999 = 253'402'300'799;
    sys_seconds const moment{std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, last_second_of_9999))};
    auto const day = floor<days>(moment);
    year_month_day const date(day);
    hh_mm_ss const time(moment - day);
    auto const two = [](auto value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) +
           "-" + two(static_cast<unsigned>(date.day())) + "T" + two(time.hours().count()) + ":" +
           two(time.minutes().count()) + ":" + two(time.seconds().count()) + "Z";
}

Result<std::string> resource_path(std::string_view name) {
    auto const refuse = [&](std::string const& why) {
        return failure(ErrorCode::invalid_argument,
                       "'" + std::string(name.substr(0, 60)) + "' can't be the name of a resource: " + why);
    };
    if (name.empty() || name.ends_with('/')) {
        return refuse("it is empty or ends in '/'");
    }
    if (name.contains('\0')) {
        return refuse("it has a NUL in it");
    }
    auto path = name.starts_with('/') ? std::string(name.substr(1)) : "data/" + std::string(name);
    if (path == "data" || (name.starts_with('/') && path.starts_with("data/")) || path == meta_conf_name ||
        path == signature_name) {
        return refuse("the archive needs that place for itself");
    }
    if (path.size() >= 512) {
        return refuse("it is longer than 511 bytes");
    }
    return path;
}

Result<ArchiveHead> read_head(ZipReader& archive) {
    ArchiveHead head;
    TRY(auto entry, archive.next());
    if (entry && entry->name == signature_name) {
        TRY(auto const content, read_entry(archive, *entry, 1024));
        Signature signature{};
        if (content.size() != signature.size()) {
            return failure(ErrorCode::corrupt,
                           "the archive's signature isn't 64 bytes long; get the file again");
        }
        std::ranges::copy(content, signature.begin());
        head.signature = signature;
        TRY(entry, archive.next());
    }
    if (!entry || entry->name != meta_conf_name) {
        return failure(ErrorCode::corrupt,
                       "the archive doesn't begin with a meta.conf; it isn't a firmware archive");
    }
    TRY(auto const content, read_entry(archive, *entry, largest_meta_conf));
    if (content.size() < smallest_meta_conf) {
        return failure(ErrorCode::corrupt,
                       "the archive's meta.conf is too short; the archive wasn't made properly");
    }
    head.meta_conf = as_text(content);
    head.created = entry->modified.value_or(0);
    head.notes = std::move(entry->notes);
    return head;
}

Result<> check_signature(ArchiveHead const& head, std::span<PublicKey const> keys) {
    if (keys.empty()) {
        return {};
    }
    if (!head.signature) {
        return failure(ErrorCode::denied,
                       "the archive isn't signed, but a signature is required here; sign it with "
                       "`fwup -S -s KEY.priv -i FILE`");
    }
    auto const message = as_bytes(head.meta_conf);
    if (std::ranges::any_of(keys,
                            [&](PublicKey const& key) { return key.verifies(*head.signature, message); })) {
        return {};
    }
    std::string names;
    for (auto const& key : keys) {
        names += (names.empty() ? "" : ", ") + key.short_name() + "...";
    }
    return failure(ErrorCode::denied,
                   "the archive's signature was made with none of the trusted keys (" + names +
                       "), or its meta.conf was changed after it was signed; sign it with a key "
                       "that is trusted here, or get the file again");
}

Result<ParsedHead> parse_head(ArchiveHead const& head, Variables variables) {
    // Twice: what meta.conf says of itself may be used in it as a variable.
    ParsedHead parsed;
    TRY(auto const first, parse_meta_conf(head, variables));
    parsed.metadata = make_metadata(first, head);
    set_metadata_variables(variables, parsed.metadata);
    TRY(parsed.config, parse_meta_conf(head, variables));
    TRY_OK(check_names(parsed.config, parsed.metadata));
    return parsed;
}

Result<> check_platform(Metadata const& metadata, std::optional<std::string> const& expected) {
    if (!expected || metadata.platform == *expected) {
        return {};
    }
    return failure(ErrorCode::invalid_argument, "the archive is for platform '" + metadata.platform +
                                                    "', but this is '" + *expected +
                                                    "'; build the firmware for '" + *expected + "'");
}

} // namespace sinew::firmware
