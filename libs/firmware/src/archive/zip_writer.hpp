/// Writes a ZIP archive the way libarchive does: data descriptors, sizes known in advance in the local
/// header, mode 0644.
///
/// Invariant: the bytes depend only on what is added, never on the clock. Threading: belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

/// Collects writes and passes them on in large pieces.
class ZipWriter {
public:
    struct EntryHeader {
        std::string name;
        std::uint16_t method = 0;
        /// Zero when it isn't known yet.
        std::uint64_t size_bytes = 0;
        std::optional<std::int64_t> modified;
        /// Our additions (archive/notes.hpp); they go into the local header only. At most 60 KiB.
        Bytes notes{};
    };
    struct EntrySums {
        std::uint32_t crc = 0;
        std::uint64_t stored_bytes = 0;
        std::uint64_t size_bytes = 0;
    };

    /// Borrows `file`, which is at its beginning.
    explicit ZipWriter(FileDescriptor const& file)
        : m_file(file) {}

    [[nodiscard]] Result<> begin_entry(EntryHeader const& header);
    /// Content as it is stored, i.e. already compressed.
    [[nodiscard]] Result<> write_stored(BytesView bytes);
    [[nodiscard]] Result<> end_entry(EntrySums const& sums);
    /// A whole entry from memory. `level` 0 stores it, 1..9 deflates.
    [[nodiscard]] Result<> add(EntryHeader header, BytesView content, int level);
    /// Writes the directory and everything still buffered.
    [[nodiscard]] Result<> finish();
    [[nodiscard]] std::uint64_t bytes_out() const noexcept { return m_offset; }

private:
    struct Written {
        EntryHeader header;
        EntrySums sums;
        std::uint64_t offset = 0;
    };
    Result<> put(BytesView bytes);
    Result<> flush();
    Result<> write_central_header(Written const& entry);
    Result<> write_end(std::uint64_t directory_offset, std::uint64_t directory_size);

    FileDescriptor const& m_file;
    Bytes m_buffer;
    std::uint64_t m_offset = 0;
    std::vector<Written> m_entries;
};

} // namespace sinew::firmware
