/// The files of the build machine that become one resource: read once, hashed and compressed on the way.
///
/// Threading: free functions.
#pragma once

#include "archive/zip_writer.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sinew::firmware {

/// What the resource is made of: files one after the other, or the text of `contents`.
struct ResourceSource {
    std::vector<std::filesystem::path> files;
    std::string contents;
    /// Whether holes of the files are left out of the archive.
    bool skip_holes = true;
};

struct PackedResource {
    /// Data, hole, data, ... in bytes.
    std::vector<std::uint64_t> pieces;
    std::string blake2b_256;
    ZipWriter::EntrySums sums;
    /// For the entry: how it is stored, and its checkpoints.
    std::uint16_t method = 0;
    Bytes notes;
    /// Compressed content, in a file without a name.
    FileDescriptor spool;
    [[nodiscard]] std::uint64_t size_bytes() const;
};

enum class Packing : std::uint8_t { compress, hash_only };

struct PackOptions {
    Packing packing = Packing::compress;
    Compression compression = Compression::deflate;
    int compression_level = 5;
    /// How many cores to use; 0: all there are.
    unsigned cores = 0;
    /// The spool file is made beside it.
    std::filesystem::path beside;
    /// Told of every piece that was read.
    std::function<void(std::uint64_t)> on_bytes;
};

/// Errors: not_found: a file doesn't exist; io; no_space.
[[nodiscard]] Result<PackedResource> pack_resource(ResourceSource const& source, PackOptions const& options);

} // namespace sinew::firmware
