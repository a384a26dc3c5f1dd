/// Metadata of an archive, and the names that follow from its bytes.
#include "archive/archive_head.hpp"
#include "archive/hash.hpp"
#include "archive/nickname_words.hpp"
#include "archive/zip_reader.hpp"
#include "script/config.hpp"
#include "script/variables.hpp"
#include "script/version.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

/// The name space of these UUIDs: 2053dffb-d51e-4310-b93b-956da89f9f34.
constexpr std::array<unsigned char, 16> uuid_name_space{0x20, 0x53, 0xdf, 0xfb, 0xd5, 0x1e, 0x43, 0x10,
                                                        0xb9, 0x3b, 0x95, 0x6d, 0xa8, 0x9f, 0x9f, 0x34};

struct Field {
    std::string_view key;
    std::string Metadata::* value;
};

/// In the order in which they are printed.
constexpr std::array fields{
    Field{"meta-product", &Metadata::product},
    Field{"meta-description", &Metadata::description},
    Field{"meta-version", &Metadata::version},
    Field{"meta-author", &Metadata::author},
    Field{"meta-platform", &Metadata::platform},
    Field{"meta-architecture", &Metadata::architecture},
    Field{"meta-creation-date", &Metadata::creation_date},
    Field{"meta-fwup-version", &Metadata::fwup_version},
    Field{"meta-misc", &Metadata::misc},
    Field{"meta-vcs-identifier", &Metadata::vcs_identifier},
    Field{"meta-uuid", &Metadata::uuid},
    Field{"meta-nickname", &Metadata::nickname},
};

} // namespace

std::string archive_uuid(BytesView meta_conf) {
    Blake2b256 hash;
    hash.update(std::as_bytes(std::span(uuid_name_space)));
    hash.update(meta_conf);
    auto digest = hash.finish();
    digest[6] = (digest[6] & std::byte{0x0F}) | std::byte{0x50};
    auto text = to_hex(BytesView(digest).first(16));
    for (std::size_t const at : {20u, 16u, 12u, 8u}) {
        text.insert(at, 1, '-');
    }
    return text;
}

std::string archive_nickname(std::string_view uuid) {
    auto const bytes = from_hex(uuid.substr(0, 4));
    if (!bytes || bytes->size() != 2) {
        return {};
    }
    return std::string(nickname_words[std::to_integer<std::size_t>((*bytes)[0])]) + "-" +
           std::string(nickname_words[std::to_integer<std::size_t>((*bytes)[1])]);
}

std::string_view compatible_fwup_version() {
    return compatible_version;
}

Result<Metadata> read_metadata(InputStream& archive, std::span<PublicKey const> public_keys) {
    ZipReader reader(archive);
    TRY(auto const head, read_head(reader));
    TRY_OK(check_signature(head, public_keys));
    TRY(auto parsed, parse_head(head, Variables()));
    return std::move(parsed.metadata);
}

Result<Metadata> read_metadata(std::filesystem::path const& archive) {
    TRY(auto const input, FileInput::open(archive));
    auto metadata = read_metadata(*input);
    if (!metadata) {
        return std::unexpected(std::move(metadata).error().with_context(archive.string()));
    }
    return metadata;
}

std::string format_metadata(Metadata const& metadata) {
    std::string text;
    for (auto const& field : fields) {
        auto const& value = metadata.*field.value;
        if (!value.empty()) {
            text += std::string(field.key) + "=" + printable(meta_conf_value(value)) + "\n";
        }
    }
    return text;
}

std::optional<std::string> metadata_value(Metadata const& metadata, std::string_view key) {
    auto const field = std::ranges::find(fields, key, &Field::key);
    if (field == fields.end() || (metadata.*field->value).empty()) {
        return std::nullopt;
    }
    return printable(metadata.*field->value);
}

} // namespace sinew::firmware
