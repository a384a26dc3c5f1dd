/// Checks a resource while it streams.
#include "archive/resource_stream.hpp"

#include "archive/archive_head.hpp"
#include "archive/entry_input.hpp"
#include "archive/output_file.hpp"
#include "delta/segment_decoder.hpp"
#include "delta/vcdiff_decoder.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::uint64_t largest_resource = std::uint64_t{1} << 44;
constexpr std::size_t most_pieces = 512;
constexpr std::size_t buffer_bytes = 128u << 10;

/// A stream that can seek, from a place in it on, without moving it.
class InputFromOffset final : public InputStream {
public:
    /// Borrows `whole`, whose length is known.
    InputFromOffset(InputStream& whole, std::uint64_t offset)
        : m_whole(whole)
        , m_at(offset) {}
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override {
        auto const end = m_whole.size_bytes().value_or(0);
        auto const left = end > m_at ? end - m_at : 0;
        auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size()));
        TRY_OK(m_whole.read_at(m_at, into.first(count)));
        m_at += count;
        return count;
    }

private:
    InputStream& m_whole;
    std::uint64_t m_at;
};

std::unexpected<Error> corrupt(std::string const& resource, std::string const& what) {
    return failure(ErrorCode::corrupt, "resource '" + resource + "' " + what);
}

} // namespace

std::uint64_t ResourceSpec::stored_bytes() const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < pieces.size(); i += 2) {
        total += pieces[i];
    }
    return total;
}

std::uint64_t ResourceSpec::size_bytes() const {
    std::uint64_t total = 0;
    for (auto const piece : pieces) {
        total += piece;
    }
    return total;
}

Result<std::vector<ResourceSpec>> resource_specs(Section const& config) {
    std::vector<ResourceSpec> specs;
    for (auto const& section : config.sections) {
        if (section.schema->name != "file-resource") {
            continue;
        }
        ResourceSpec spec;
        spec.name = section.title;
        TRY(spec.path, resource_path(section.title));
        std::uint64_t total = 0;
        for (auto const piece : section.integers("length")) {
            total += static_cast<std::uint64_t>(piece);
            if (piece < 0 || total > largest_resource) {
                return corrupt(spec.name,
                               "has an impossible length in meta.conf; the archive wasn't made properly");
            }
            spec.pieces.push_back(static_cast<std::uint64_t>(piece));
        }
        if (spec.pieces.empty()) {
            spec.pieces.push_back(0); // the original leaves out the length of an empty file
        }
        spec.blake2b_256 = section.text("blake2b-256");
        if (spec.pieces.size() > most_pieces || spec.blake2b_256.size() != 64) {
            return corrupt(spec.name,
                           "has no proper length or blake2b-256 in meta.conf; the archive wasn't made "
                           "properly");
        }
        specs.push_back(std::move(spec));
    }
    return specs;
}

bool is_patch(ZipEntry const& entry, ResourceSpec const& spec) {
    return !spec.is_sparse() && entry.size_bytes && *entry.size_bytes != spec.stored_bytes();
}

Result<> ResourceStream::begin() {
    m_content = &m_entry;
    TRY(auto const form, m_entry.patch_form());
    if (!m_is_patch || form == PatchForm::none) {
        return {};
    }
    if (m_source == nullptr) {
        return failure(ErrorCode::unavailable,
                       "resource '" + m_spec.name +
                           "' is a patch, but this task has nothing to apply it to; use the full archive");
    }
    if (form == PatchForm::vcdiff) {
        m_decoder = std::make_unique<VcdiffDecoder>(m_entry, *m_source);
    } else {
        m_decoder = std::make_unique<SegmentDecoder>(m_entry, *m_source);
    }
    m_content = m_decoder.get();
    return {};
}

Result<std::size_t> ResourceStream::read(MutableBytesView into) {
    if (m_ended) {
        return std::size_t{0};
    }
    if (m_content == nullptr) {
        TRY_OK(begin());
    }
    TRY(auto const count, m_content->read(into));
    m_size += count;
    if (m_size > m_spec.stored_bytes()) {
        return corrupt(m_spec.name, "is longer than the " + std::to_string(m_spec.stored_bytes()) +
                                        " bytes that meta.conf says; get the file again");
    }
    m_hash.update(into.first(count));
    if (count == 0) {
        TRY_OK(finish());
    }
    return count;
}

Result<> ResourceStream::drain(MutableBytesView buffer) {
    while (true) {
        TRY(auto const count, read(buffer));
        if (count == 0) {
            return {};
        }
    }
}

Result<> ResourceStream::judge() {
    auto const& input = m_archive.input();
    return input.can_seek() && input.size_bytes() ? judge_by_reading_twice() : judge_and_keep();
}

Result<> ResourceStream::judge_by_reading_twice() {
    auto const begin = m_archive.entry_offset();
    InputFromOffset input(m_archive.input(), begin);
    ZipReader archive(input, begin);
    TRY(auto const entry, archive.next());
    if (!entry) {
        return corrupt(m_spec.name, "is gone from the archive; it was changed while it was read");
    }
    archive.leave_out_checksum();
    ResourceStream once(archive, *entry, m_spec, m_source);
    Bytes buffer(buffer_bytes);
    return once.drain(buffer);
}

Result<> ResourceStream::judge_and_keep() {
    std::error_code error;
    auto folder = std::filesystem::temp_directory_path(error);
    if (error) {
        folder = "/tmp";
    }
    auto const with_reason = [&](Error reason) {
        return std::unexpected(std::move(reason).with_context(
            "resource '" + m_spec.name +
            "' of a stream must be kept until its hash is known; give the archive as a file, or set TMPDIR"));
    };
    auto file = unnamed_file(folder / "resource");
    if (!file) {
        return with_reason(std::move(file).error());
    }
    Bytes buffer(buffer_bytes);
    while (true) {
        TRY(auto const count, read(buffer));
        if (count == 0) {
            break;
        }
        if (auto written = write_all(*file, BytesView(buffer).first(count)); !written) {
            return with_reason(std::move(written).error().with_context(folder.string()));
        }
    }
    if (::lseek(file->get(), 0, SEEK_SET) != 0) {
        return with_reason(error_from_errno(errno, folder.string()));
    }
    m_kept = std::make_unique<FileInput>(*std::move(file));
    m_content = m_kept.get();
    m_hash = {};
    m_size = 0;
    m_ended = false;
    return {};
}

Result<> ResourceStream::finish() {
    m_ended = true;
    if (m_size != m_spec.stored_bytes()) {
        return corrupt(m_spec.name, "has " + std::to_string(m_size) + " bytes instead of the " +
                                        std::to_string(m_spec.stored_bytes()) +
                                        " that meta.conf says; get the file again");
    }
    if (m_hash.finish_hex() == m_spec.blake2b_256) {
        return {};
    }
    if (m_decoder) {
        return failure(ErrorCode::unavailable,
                       "resource '" + m_spec.name +
                           "' came out wrong: what is on the device isn't what the patch was made for; use "
                           "the full archive");
    }
    return corrupt(m_spec.name, "is damaged: its BLAKE2b-256 isn't the one in meta.conf; get the file again");
}

} // namespace sinew::firmware
