/// The content of one resource as it streams out of an archive, checked against meta.conf.
///
/// Invariant: read() returns 0 only after length and BLAKE2b-256 agreed. Threading: belongs to one thread.
#pragma once

#include "archive/hash.hpp"
#include "archive/zip_reader.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
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

class ResourceStream {
public:
    /// Borrows both.
    ResourceStream(ZipReader& archive, ResourceSpec const& spec)
        : m_archive(archive)
        , m_spec(spec) {}
    /// Data only, holes left out. Error corrupt: the content isn't what meta.conf says.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into);
    [[nodiscard]] ResourceSpec const& spec() const noexcept { return m_spec; }

private:
    ZipReader& m_archive;
    ResourceSpec const& m_spec;
    Blake2b256 m_hash;
    std::uint64_t m_size = 0;
    bool m_ended = false;
};

} // namespace sinew::firmware
