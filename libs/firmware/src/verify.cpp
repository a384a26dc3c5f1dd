/// Verifies a whole archive, and signs one. See the header.
#include "archive/archive_head.hpp"
#include "archive/copy_entry.hpp"
#include "archive/entry_input.hpp"
#include "archive/output_file.hpp"
#include "archive/resource_stream.hpp"
#include "archive/zip_format.hpp"
#include "archive/zip_reader.hpp"
#include "archive/zip_writer.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/verify.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t piece_size = 128u << 10;

void report(VerifyOptions const& options, InputStream const& input, ZipReader const& reader) {
    if (!options.on_progress) {
        return;
    }
    auto const total = input.size_bytes().value_or(0);
    auto const percent =
        total == 0 ? 0 : static_cast<int>(std::min<std::uint64_t>(99, reader.bytes_in() * 100 / total));
    options.on_progress({percent, reader.bytes_in(), 0});
}

/// Without the device only the form of a patch can be checked, and that it arrived whole.
Result<> verify_patch(ZipReader& reader, ResourceSpec const& spec, MutableBytesView buffer) {
    EntryInput input(reader);
    TRY(auto const form, input.patch_form());
    if (form == PatchForm::none) {
        return failure(ErrorCode::corrupt, "resource '" + spec.name +
                                               "' has not the size that meta.conf says, and is no patch; get "
                                               "the file again");
    }
    while (true) {
        TRY(auto const count, input.read(buffer));
        if (count == 0) {
            return {};
        }
    }
}

/// Reads the entries behind meta.conf; each must be a resource, and each resource must be there once.
Result<> verify_resources(ZipReader& reader, std::vector<ResourceSpec> const& specs, InputStream const& input,
                          VerifyOptions const& options) {
    Bytes buffer(piece_size);
    std::set<std::string> seen;
    while (true) {
        TRY(auto const entry, reader.next());
        if (!entry) {
            break;
        }
        if (entry->name == "data/") {
            continue;
        }
        auto const spec = std::ranges::find(specs, entry->name, &ResourceSpec::path);
        if (spec == specs.end()) {
            return failure(ErrorCode::corrupt,
                           "the archive has an entry '" + entry->name +
                               "' that meta.conf doesn't mention; it was changed after it was made");
        }
        if (!seen.insert(spec->name).second) {
            return failure(ErrorCode::corrupt, "the archive has resource '" + spec->name + "' twice");
        }
        if (is_patch(*entry, *spec)) {
            TRY_OK(verify_patch(reader, *spec, buffer));
            continue;
        }
        ResourceStream stream(reader, *entry, *spec);
        while (true) {
            TRY(auto const count, stream.read(buffer));
            if (count == 0) {
                break;
            }
            report(options, input, reader);
        }
    }
    for (auto const& spec : specs) {
        if (!seen.contains(spec.name)) {
            return failure(ErrorCode::corrupt,
                           "the archive lacks resource '" + spec.name + "'; get the file again");
        }
    }
    return {};
}

/// Copies every entry but an old signature as it is stored.
Result<> copy_entries(InputStream& input, ZipWriter& writer, PrivateKey const& key) {
    ZipReader head_reader(input);
    TRY(auto const head, read_head(head_reader));
    auto const message = as_bytes(head.meta_conf);
    TRY_OK(writer.add({std::string(signature_name), 0, 0, std::nullopt}, BytesView(key.sign(message)), 0));
    constexpr int smallest = 9;
    TRY_OK(writer.add({std::string(meta_conf_name), 0, 0, head.created, head.notes}, message, smallest));

    while (true) {
        TRY(auto const entry, head_reader.next());
        if (!entry) {
            break;
        }
        TRY_OK(copy_entry(head_reader, *entry, writer));
    }
    return head_reader.read_directory();
}

} // namespace

Result<Metadata> verify_archive(InputStream& archive, VerifyOptions const& options) {
    ZipReader reader(archive);
    TRY(auto const head, read_head(reader));
    TRY_OK(check_signature(head, options.public_keys));
    TRY(auto parsed, parse_head(head, Variables()));
    TRY_OK(check_platform(parsed.metadata, options.expected_platform));
    TRY(auto const specs, resource_specs(parsed.config));
    TRY_OK(verify_resources(reader, specs, archive, options));
    TRY_OK(reader.read_directory());
    if (options.on_progress) {
        options.on_progress({100, reader.bytes_in(), 0});
    }
    return std::move(parsed.metadata);
}

Result<Metadata> verify_archive(std::filesystem::path const& archive, VerifyOptions const& options) {
    TRY(auto const input, FileInput::open(archive));
    auto metadata = verify_archive(*input, options);
    if (!metadata) {
        return std::unexpected(std::move(metadata).error().with_context(archive.string()));
    }
    return metadata;
}

Result<> sign_archive(std::filesystem::path const& input, std::filesystem::path const& output,
                      PrivateKey const& key) {
    TRY(auto const source, FileInput::open(input));
    TRY(auto target, OutputFile::create(output));
    ZipWriter writer(target.file());
    if (auto copied = copy_entries(*source, writer, key); !copied) {
        return std::unexpected(std::move(copied).error().with_context(input.string()));
    }
    TRY_OK(writer.finish());
    return target.commit();
}

} // namespace sinew::firmware
