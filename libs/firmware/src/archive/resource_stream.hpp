/// The content of one resource as it streams out of an archive, checked against meta.conf. A patch is applied
/// on the way.
///
/// Invariant: read() returns 0 only after length and BLAKE2b-256 agreed. Threading: belongs to one thread.
#pragma once

#include "archive/entry_input.hpp"
#include "archive/hash.hpp"
#include "archive/zip_reader.hpp"
#include "delta/source.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sinew::firmware {

/// What meta.conf says about a resource.
struct ResourceSpec {
    std::string name;
    /// Name of the entry in the archive.
    std::string path;
    /// Data, hole, data, hole, ... in bytes.
    std::vector<std::uint64_t> pieces;
    std::string blake2b_256;

    [[nodiscard]] std::uint64_t stored_bytes() const;
    [[nodiscard]] std::uint64_t size_bytes() const;
    [[nodiscard]] bool is_sparse() const noexcept { return pieces.size() > 1; }
};

/// The resources of a config, in order. Error corrupt: impossible lengths, hash or name.
[[nodiscard]] Result<std::vector<ResourceSpec>> resource_specs(Section const& config);

/// Whether `entry` holds a patch instead of the resource: its size isn't the resource's.
[[nodiscard]] bool is_patch(ZipEntry const& entry, ResourceSpec const& spec);

class ResourceStream {
public:
    /// Borrows all; `archive` has just begun `entry`. `source` is what a patch is applied to; nullptr: the
    /// task names nothing.
    ResourceStream(ZipReader& archive, ZipEntry const& entry, ResourceSpec const& spec,
                   DeltaSource* source = nullptr)
        : m_archive(archive)
        , m_entry(archive)
        , m_spec(spec)
        , m_source(source)
        , m_is_patch(is_patch(entry, spec)) {}
    /// Data only, holes left out. Errors: corrupt: the content isn't what meta.conf says; unavailable: it is
    /// a patch, and there is nothing to apply it to.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into);
    /// Reads on to its end, through `buffer`; there its hash is judged.
    [[nodiscard]] Result<> drain(MutableBytesView buffer);
    /// Judges the whole content before anybody gets a byte of it; read() then begins with the first. Comes
    /// before any read(). Where the archive can't be read twice, the content is kept in a file without a name
    /// in the folder for temporary files. Errors: those of read(); no_space, or what keeps it from having
    /// such a file.
    [[nodiscard]] Result<> judge();
    [[nodiscard]] ResourceSpec const& spec() const noexcept { return m_spec; }

private:
    [[nodiscard]] Result<> begin();
    [[nodiscard]] Result<> finish();
    [[nodiscard]] Result<> judge_by_reading_twice();
    [[nodiscard]] Result<> judge_and_keep();

    ZipReader& m_archive;
    EntryInput m_entry;
    ResourceSpec const& m_spec;
    DeltaSource* m_source;
    bool m_is_patch;
    std::unique_ptr<InputStream> m_decoder;
    /// The content, once judged, if it had to be kept.
    std::unique_ptr<InputStream> m_kept;
    InputStream* m_content = nullptr;
    Blake2b256 m_hash;
    std::uint64_t m_size = 0;
    bool m_ended = false;
};

} // namespace sinew::firmware
