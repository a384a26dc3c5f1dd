/// Verifies a whole archive, and signs one.
#include "archive/archive_head.hpp"
#include "archive/copy_entry.hpp"
#include "archive/entry_input.hpp"
#include "archive/output_file.hpp"
#include "archive/resource_stream.hpp"
#include "archive/zip_format.hpp"
#include "archive/zip_reader.hpp"
#include "archive/zip_writer.hpp"
#include "delta/segment_decoder.hpp"
#include "delta/vcdiff_decoder.hpp"
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
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t piece_size = 128u << 10;

/// One look at an archive, from its beginning as far as it is good.
class Verification {
public:
    Verification(InputStream& input, VerifyOptions const& options)
        : m_input(input)
        , m_reader(input)
        , m_options(options) {}

    Result<> run() {
        TRY(auto const head, read_head(m_reader));
        TRY_OK(check_signature(head, m_options.public_keys));
        TRY(auto parsed, parse_head(head, Variables()));
        TRY_OK(check_platform(parsed.metadata, m_options.expected_platform));
        TRY(m_specs, resource_specs(parsed.config));
        m_metadata = std::move(parsed.metadata);
        m_knows_metadata = true;
        TRY_OK(check_resources());
        TRY_OK(m_reader.read_directory());
        report(100);
        return {};
    }
    [[nodiscard]] bool knows_metadata() const { return m_knows_metadata; }
    /// Once.
    [[nodiscard]] Metadata take_metadata() { return std::move(m_metadata); }
    /// What was read and is good; after run(), whether it failed or not.
    [[nodiscard]] std::uint64_t good_bytes() const { return m_bad_from.value_or(m_reader.checked_bytes()); }

private:
    void report(int percent) const {
        if (m_options.on_progress) {
            m_options.on_progress({percent, m_reader.bytes_in(), 0});
        }
    }
    [[nodiscard]] int percent() const {
        auto const total = m_input.size_bytes().value_or(0);
        return total == 0 ? 0
                          : static_cast<int>(std::min<std::uint64_t>(99, m_reader.bytes_in() * 100 / total));
    }

    /// Reads the entries behind meta.conf; each must be a resource, and each resource must be there once.
    Result<> check_resources() {
        std::set<std::string> seen;
        while (true) {
            TRY(auto const entry, m_reader.next());
            if (!entry) {
                break;
            }
            if (entry->name == "data/") {
                continue;
            }
            auto const spec = std::ranges::find(m_specs, entry->name, &ResourceSpec::path);
            if (spec == m_specs.end()) {
                return failure(ErrorCode::corrupt,
                               "the archive has an entry '" + entry->name +
                                   "' that meta.conf doesn't mention; it was changed after it was made");
            }
            if (!seen.insert(spec->name).second) {
                return failure(ErrorCode::corrupt, "the archive has resource '" + spec->name + "' twice");
            }
            auto checked = is_patch(*entry, *spec) ? check_patch(*spec) : check_resource(*entry, *spec);
            if (!checked && !m_reader.is_in_entry()) {
                m_bad_from = m_reader.entry_offset(); // each of its parts is good, but not the whole
            }
            TRY_OK(std::move(checked));
        }
        for (auto const& spec : m_specs) {
            if (!seen.contains(spec.name)) {
                return failure(ErrorCode::corrupt,
                               "the archive lacks resource '" + spec.name + "'; get the file again");
            }
        }
        return {};
    }

    Result<> check_resource(ZipEntry const& entry, ResourceSpec const& spec) {
        ResourceStream stream(m_reader, entry, spec);
        while (true) {
            TRY(auto const count, stream.read(m_buffer));
            if (count == 0) {
                return {};
            }
            report(percent());
        }
    }

    /// Without the device only the form of a patch can be checked, and how much it makes.
    Result<> check_patch(ResourceSpec const& spec) {
        EntryInput input(m_reader);
        TRY(auto const form, input.patch_form());
        if (form == PatchForm::none) {
            return failure(ErrorCode::corrupt,
                           "resource '" + spec.name +
                               "' has not the size that meta.conf says, and is no patch; get the file again");
        }
        auto const made =
            form == PatchForm::vcdiff ? VcdiffDecoder::measure(input) : SegmentDecoder::measure(input);
        if (!made) {
            auto const& error = made.error();
            return failure(error.code() == ErrorCode::unsupported ? ErrorCode::corrupt : error.code(),
                           "resource '" + spec.name + "': " + error.message());
        }
        if (*made != spec.stored_bytes()) {
            return failure(ErrorCode::corrupt, "resource '" + spec.name + "' is a patch that makes " +
                                                   std::to_string(*made) + " bytes instead of the " +
                                                   std::to_string(spec.stored_bytes()) +
                                                   " that meta.conf says; get the file again");
        }
        return {};
    }

    InputStream& m_input;
    ZipReader m_reader;
    VerifyOptions const& m_options;
    std::vector<ResourceSpec> m_specs;
    Metadata m_metadata;
    bool m_knows_metadata = false;
    std::optional<std::uint64_t> m_bad_from;
    Bytes m_buffer = Bytes(piece_size);
};

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
    Verification verification(archive, options);
    TRY_OK(verification.run());
    return verification.take_metadata();
}

Result<Metadata> verify_archive(std::filesystem::path const& archive, VerifyOptions const& options) {
    TRY(auto const input, FileInput::open(archive));
    auto metadata = verify_archive(*input, options);
    if (!metadata) {
        return std::unexpected(std::move(metadata).error().with_context(archive.string()));
    }
    return metadata;
}

Result<PartialReport> verify_partial(InputStream& archive, VerifyOptions const& options) {
    Verification verification(archive, options);
    auto done = verification.run();
    if (!done && done.error().code() != ErrorCode::corrupt) {
        return std::unexpected(std::move(done).error());
    }
    PartialReport report;
    report.is_complete = done.has_value();
    report.good_bytes = verification.good_bytes();
    report.trouble = done ? std::string() : done.error().message();
    if (verification.knows_metadata()) {
        report.metadata = verification.take_metadata();
    }
    return report;
}

Result<PartialReport> verify_partial(std::filesystem::path const& archive, VerifyOptions const& options) {
    TRY(auto const input, FileInput::open(archive));
    auto report = verify_partial(*input, options);
    if (!report) {
        return std::unexpected(std::move(report).error().with_context(archive.string()));
    }
    return report;
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
