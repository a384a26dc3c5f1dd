/// A mounted FAT file system: what the fat_... functions of an update script do.
///
/// Invariant: between two calls the disk holds a consistent file system. Threading: belongs to one thread.
#pragma once

#include "disk/extent.hpp"
#include "fat/directory.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sinew::firmware {

enum class Existing : std::uint8_t { kept, replaced };
enum class Missing : std::uint8_t { accepted, refused };

/// Writes a file from its beginning on. Without finish() the volume keeps a file of no content.
class FatFileWriter {
public:
    FatFileWriter(FatContext& context, FatDirectory directory, FatEntry entry)
        : m_context(&context)
        , m_directory(std::move(directory))
        , m_entry(std::move(entry)) {}
    /// Error no_space: the volume is full, or the file would be 4 GiB or more.
    [[nodiscard]] Result<> write(BytesView bytes);
    [[nodiscard]] Result<> finish();

private:
    [[nodiscard]] Result<> flush();
    FatContext* m_context;
    FatDirectory m_directory;
    FatEntry m_entry;
    /// Content not yet written, for consecutive clusters from `m_run_start` on.
    Bytes m_pending;
    std::optional<std::uint32_t> m_last_cluster;
    std::uint64_t m_run_start = 0;
    std::uint64_t m_room = 0;
    std::uint64_t m_size = 0;
};

/// Reads a file from its beginning on.
class FatFileReader {
public:
    FatFileReader(FatContext& context, FatEntry const& entry)
        : m_context(&context)
        , m_cluster(entry.first_cluster)
        , m_left(entry.size_bytes) {}
    /// Up to a cluster's bytes; 0 at the end.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into);

private:
    FatContext* m_context;
    std::uint32_t m_cluster;
    std::uint32_t m_left;
    std::uint32_t m_at_in_cluster = 0;
};

class FatVolume {
public:
    /// Borrows `disk`. Error corrupt: no FAT file system there.
    [[nodiscard]] static Result<FatVolume> mount(BlockDevice& disk, std::uint64_t first_block);

    [[nodiscard]] Result<bool> exists(std::string_view path);
    /// Makes or empties a file. The writer borrows the volume.
    [[nodiscard]] Result<FatFileWriter> create_file(std::string_view path);
    /// Error not_found: no such file.
    [[nodiscard]] Result<FatFileReader> open_file(std::string_view path);
    /// Where the content of a file lies on the disk, in its order. Error not_found: no such file.
    [[nodiscard]] Result<std::vector<DiskExtent>> extents_of(std::string_view path);
    [[nodiscard]] Result<> touch(std::string_view path);
    /// An existing directory is accepted.
    [[nodiscard]] Result<> make_directory(std::string_view path);
    /// Removes a file or an empty directory.
    [[nodiscard]] Result<> remove(std::string_view path, Missing missing);
    [[nodiscard]] Result<> rename(std::string_view from, std::string_view to, Existing existing);
    [[nodiscard]] Result<> copy_from(FatVolume& source, std::string_view from, std::string_view to);
    [[nodiscard]] Result<> set_label(std::string_view label);
    /// `attributes`: any of the letters R, H and S; the others are taken away.
    [[nodiscard]] Result<> set_attributes(std::string_view path, std::string_view attributes);
    [[nodiscard]] FatLayout const& layout() const noexcept { return m_context->layout; }

private:
    struct Place {
        FatDirectory directory;
        std::u16string name;
        std::optional<FatEntry> entry;
    };
    explicit FatVolume(std::unique_ptr<FatContext> context)
        : m_context(std::move(context)) {}
    /// The directory `path` is in, which must exist, and its entry there, which may not.
    [[nodiscard]] Result<Place> locate(std::string_view path);
    std::unique_ptr<FatContext> m_context;
};

} // namespace sinew::firmware
