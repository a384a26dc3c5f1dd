/// Makes delta archives: the old resources are read, patches made, and the new archive copied with them in
/// place of its resources.
#include "archive/archive_head.hpp"
#include "archive/copy_entry.hpp"
#include "archive/hash.hpp"
#include "archive/notes.hpp"
#include "archive/output_file.hpp"
#include "archive/piece_packer.hpp"
#include "archive/resource_stream.hpp"
#include "archive/zip_format.hpp"
#include "archive/zip_reader.hpp"
#include "archive/zip_writer.hpp"
#include "delta/segment_encoder.hpp"
#include "delta/vcdiff_encoder.hpp"
#include "script/config.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr int smallest_level = 9;
/// A patch that saves less than one part in this many isn't worth reading the old content on the device.
constexpr std::uint64_t least_saving = 8;
/// Resources are patched in memory.
constexpr std::uint64_t largest_patched = std::uint64_t{2} << 30;

/// An archive of the build machine, read from its beginning.
struct OpenArchive {
    std::unique_ptr<FileInput> input;
    std::unique_ptr<ZipReader> reader;
    ArchiveHead head;
    ParsedHead parsed;
    std::vector<ResourceSpec> specs;

    static Result<OpenArchive> open(std::filesystem::path const& path) {
        OpenArchive archive;
        TRY(archive.input, FileInput::open(path));
        archive.reader = std::make_unique<ZipReader>(*archive.input);
        TRY(archive.head, read_head(*archive.reader));
        TRY(archive.parsed, parse_head(archive.head, Variables()));
        TRY(archive.specs, resource_specs(archive.parsed.config));
        return archive;
    }
    [[nodiscard]] ResourceSpec const* find(std::string_view name) const {
        auto const found = std::ranges::find(specs, name, &ResourceSpec::name);
        return found == specs.end() ? nullptr : &*found;
    }
    [[nodiscard]] ResourceSpec const* find_path(std::string_view path) const {
        auto const found = std::ranges::find(specs, path, &ResourceSpec::path);
        return found == specs.end() ? nullptr : &*found;
    }
};

/// Whether some task says what a patch of the resource is to be applied to.
bool has_source_on_device(Section const& config, std::string_view name) {
    return std::ranges::any_of(config.sections, [&](Section const& task) {
        auto const* const event =
            task.schema->name == "task" ? task.find_section("on-resource", name) : nullptr;
        return event != nullptr && (event->integer("delta-source-raw-offset") >= 0 ||
                                    event->integer("delta-source-fat-offset") >= 0);
    });
}

bool can_be_patched(OpenArchive const& from, OpenArchive const& to, ResourceSpec const& target) {
    auto const* const source = from.find(target.name);
    return source != nullptr && !source->is_sparse() && !target.is_sparse() &&
           source->size_bytes() <= largest_patched && target.size_bytes() <= largest_patched &&
           has_source_on_device(to.parsed.config, target.name);
}

Result<Bytes> read_resource(ZipReader& reader, ZipEntry const& entry, ResourceSpec const& spec) {
    Bytes content(static_cast<std::size_t>(spec.size_bytes()) + 1);
    std::size_t size = 0;
    ResourceStream stream(reader, entry, spec);
    while (true) {
        TRY(auto const count, stream.read(MutableBytesView(content).subspan(size)));
        if (count == 0) {
            break;
        }
        size += count;
    }
    content.resize(size);
    return content;
}

/// The hash that the content was found to have when it was read.
Result<Blake2b256::Digest> digest_in(ResourceSpec const& spec) {
    Blake2b256::Digest digest{};
    TRY(auto const bytes, from_hex(spec.blake2b_256));
    std::ranges::copy_n(bytes.begin(), static_cast<std::ptrdiff_t>(std::min(bytes.size(), digest.size())),
                        digest.begin());
    return digest;
}

class DeltaMaker {
public:
    explicit DeltaMaker(DeltaOptions const& options)
        : m_options(options) {}

    Result<DeltaReport> run() {
        TRY_OK(open());
        TRY_OK(read_sources());
        TRY_OK(make_patches());
        if (m_patches.empty()) {
            return failure(ErrorCode::unavailable, "nothing of " + m_options.to.string() +
                                                       " becomes smaller as a patch: use the full archive");
        }
        TRY_OK(write());
        return std::move(m_report);
    }

private:
    struct Patch {
        Bytes content;
        DeltaNote note;
    };

    Result<> open() {
        TRY(m_from, OpenArchive::open(m_options.from));
        TRY(m_to, OpenArchive::open(m_options.to));
        m_report.from = m_from.parsed.metadata;
        m_report.to = m_to.parsed.metadata;
        if (m_report.from.platform != m_report.to.platform) {
            return failure(ErrorCode::invalid_argument,
                           m_options.from.string() + " is for platform '" + m_report.from.platform +
                               "', but " + m_options.to.string() + " for '" + m_report.to.platform +
                               "'; build both for the same");
        }
        for (auto const& spec : m_to.specs) {
            if (can_be_patched(m_from, m_to, spec)) {
                m_names.insert(spec.name);
                m_bytes_total += spec.size_bytes();
            }
        }
        if (m_names.empty()) {
            return failure(ErrorCode::unavailable,
                           "no resource of " + m_options.to.string() +
                               " can be patched: no task says what is on the device (delta-source-raw-offset "
                               "in its on-resource), or the old archive hasn't the resource; use the full "
                               "archive");
        }
        return {};
    }

    Result<> read_sources() {
        while (true) {
            TRY(auto const entry, m_from.reader->next());
            if (!entry) {
                return {};
            }
            auto const* const spec = m_from.find_path(entry->name);
            if (spec != nullptr && m_names.contains(spec->name)) {
                TRY(m_sources[spec->name], read_resource(*m_from.reader, *entry, *spec));
            }
        }
    }

    Result<> make_patches() {
        while (true) {
            TRY(auto const entry, m_to.reader->next());
            if (!entry) {
                return {};
            }
            auto const* const spec = m_to.find_path(entry->name);
            if (spec == nullptr || !m_sources.contains(spec->name)) {
                continue;
            }
            TRY(auto const target, read_resource(*m_to.reader, *entry, *spec));
            auto const& source = m_sources.at(spec->name);
            TRY(auto const source_hash, digest_in(*m_from.find(spec->name)));
            TRY(auto patch, make_patch(source, source_hash, target));
            auto const full_bytes = m_to.reader->stored_bytes();
            if (patch.size() < full_bytes - full_bytes / least_saving && patch.size() != target.size()) {
                m_report.patched.push_back({spec->name, target.size(), full_bytes, patch.size()});
                m_patches[spec->path] = {std::move(patch), {spec->name, source.size(), source_hash}};
            }
            m_sources.erase(spec->name);
        }
    }

    Result<Bytes> make_patch(BytesView source, Blake2b256::Digest const& source_hash, BytesView target) {
        auto const on_bytes = [this](std::uint64_t bytes) {
            m_bytes_done += bytes;
            if (m_options.on_progress && m_bytes_total > 0) {
                m_options.on_progress(
                    {static_cast<int>(std::min<std::uint64_t>(99, m_bytes_done * 100 / m_bytes_total)),
                     m_bytes_done, 0});
            }
        };
        if (m_options.form == DeltaForm::vcdiff) {
            return encode_vcdiff(source, target, on_bytes);
        }
        SegmentPatchOptions segments;
        segments.on_bytes = on_bytes;
        return encode_segments(source, source_hash, target, segments);
    }

    /// The new archive once more, with patches in the places of resources.
    Result<> write() {
        TRY(auto again, OpenArchive::open(m_options.to));
        TRY(auto file, OutputFile::create(m_options.output));
        ZipWriter writer(file.file());
        if (again.head.signature) {
            TRY_OK(writer.add({std::string(signature_name), 0, 0, std::nullopt},
                              BytesView(*again.head.signature), 0));
        }
        auto notes = again.head.notes;
        for (auto const& [path, patch] : m_patches) {
            append_note(notes, patch.note);
        }
        TRY_OK(writer.add({std::string(meta_conf_name), 0, 0, again.head.created, std::move(notes)},
                          as_bytes(again.head.meta_conf), smallest_level));
        while (true) {
            TRY(auto const entry, again.reader->next());
            if (!entry) {
                break;
            }
            auto const patch = m_patches.find(entry->name);
            if (patch == m_patches.end()) {
                TRY_OK(copy_entry(*again.reader, *entry, writer));
                continue;
            }
            // Segments are packed already.
            auto const method =
                m_options.form == DeltaForm::segments ? zip::method_stored : zip::method_deflate;
            TRY_OK(add_in_pieces(writer, {entry->name, method, 0, entry->modified}, patch->second.content,
                                 smallest_level));
        }
        TRY_OK(writer.finish());
        TRY_OK(file.commit());
        m_report.full_archive_bytes = again.reader->bytes_in();
        m_report.archive_bytes = writer.bytes_out();
        if (m_options.on_progress) {
            m_options.on_progress({100, m_bytes_done, m_report.archive_bytes});
        }
        return {};
    }

    DeltaOptions const& m_options;
    OpenArchive m_from;
    OpenArchive m_to;
    std::set<std::string> m_names;
    std::map<std::string, Bytes> m_sources;
    /// By the name of the entry.
    std::map<std::string, Patch> m_patches;
    DeltaReport m_report;
    std::uint64_t m_bytes_total = 0;
    std::uint64_t m_bytes_done = 0;
};

} // namespace

Result<DeltaReport> make_delta_archive(DeltaOptions const& options) {
    return DeltaMaker(options).run();
}

} // namespace sinew::firmware
