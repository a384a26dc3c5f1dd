/// Reads a ZIP archive from a stream, forward only, without its central directory.
///
/// Invariant: memory is bounded whatever the archive says, and an entry that was read to its end had the
/// right sizes, and the right CRC unless somebody checks it better. Threading: belongs to one thread.
#pragma once

#include "archive/zip_directory.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

class PieceReader;
class StreamInflater;

struct ZipEntry {
    std::string name;
    std::uint16_t method = 0;
    std::uint16_t flags = 0;
    /// From the local header; a stream writer may not have known it.
    std::optional<std::uint64_t> size_bytes;
    /// Seconds since 1970 from the extended time field, if there is one.
    std::optional<std::int64_t> modified;
    /// Our additions to the entry (archive/notes.hpp), as they are stored; most entries have none.
    Bytes notes;
};

class ZipReader {
public:
    /// Borrows `input`, which begins at byte `begins_at` of the archive, with an entry.
    explicit ZipReader(InputStream& input, std::uint64_t begins_at = 0);
    ZipReader(ZipReader const&) = delete;
    ZipReader& operator=(ZipReader const&) = delete;
    ~ZipReader();

    /// Skips what is left of the current entry and goes to the next; nothing at the end of the entries. An
    /// entry of which nothing was read isn't read at all if its place is known (use_directory()).
    /// Errors: corrupt: truncated, or not an archive; unsupported: encrypted, or an unknown method.
    [[nodiscard]] Result<std::optional<ZipEntry>> next();
    /// Reads up to `into.size()` bytes of the current entry's content; 0 means its end, and that CRC and
    /// sizes agree.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into);
    /// After next() has returned nothing: reads on to the end mark of the archive, so that a cut in its
    /// directory is found too.
    [[nodiscard]] Result<> read_directory();
    /// Where entries are, so that what isn't needed can be skipped. Borrows `entries`, which must outlive it.
    void use_directory(std::vector<ZipDirectoryEntry> const& entries) { m_directory = entries; }
    /// For an entry whose content is checked by a better sum than CRC-32: leaves that out.
    void leave_out_checksum() { m_checks_crc = false; }
    /// Called with the content of each entry as it is stored, when set; used to copy entries as they are.
    void on_stored_bytes(std::function<Result<>(BytesView)> sink) { m_stored_sink = std::move(sink); }
    /// How many bytes of the archive the content read so far of the current entry, or of the one just ended,
    /// takes.
    [[nodiscard]] std::uint64_t stored_bytes() const noexcept { return m_stored_size; }
    /// Bytes taken from the stream so far.
    [[nodiscard]] std::uint64_t bytes_in() const noexcept { return m_bytes_in; }
    /// How many bytes from the beginning of the archive have a checksum, their own or that of their entry,
    /// and were found good by it.
    [[nodiscard]] std::uint64_t checked_bytes() const noexcept { return m_checked_bytes; }
    [[nodiscard]] InputStream& input() const noexcept { return m_input; }
    /// Where the entry that next() found last begins.
    [[nodiscard]] std::uint64_t entry_offset() const noexcept { return m_entry_offset; }
    /// Whether some of the entry wasn't read yet, or couldn't be.
    [[nodiscard]] bool is_in_entry() const noexcept { return m_in_entry; }

private:
    Result<> refill();
    /// False: it must be read to get behind it.
    Result<bool> skip_entry();
    Result<bool> skip_pieces();
    [[nodiscard]] std::uint64_t position() const noexcept { return m_bytes_in - (m_end - m_begin); }
    Result<> move_on(std::uint64_t count);
    /// The next `count` bytes (at most the buffer's size), without a gap; taken from the stream.
    Result<BytesView> take(std::size_t count, std::string_view what);
    Result<ZipEntry> read_local_header();
    Result<> read_extra_fields(BytesView extra, ZipEntry& entry);
    Result<> begin_content();
    Result<> read_raw(MutableBytesView into);
    Result<std::size_t> read_stored(MutableBytesView into);
    Result<std::size_t> read_deflated(MutableBytesView into);
    Result<> pass_stored(BytesView bytes);
    Result<> finish_entry();
    Result<> check_descriptor();
    [[nodiscard]] std::unexpected<Error> truncated(std::string_view what) const;
    [[nodiscard]] std::string what_entry() const;
    [[nodiscard]] std::unexpected<Error> damaged(std::string const& what) const;
    [[nodiscard]] std::unexpected<Error> damaged_there() const;

    InputStream& m_input;
    Bytes m_buffer;
    std::size_t m_begin = 0;
    std::size_t m_end = 0;
    std::uint64_t m_bytes_in = 0;
    std::unique_ptr<StreamInflater> m_inflater;
    /// If the entry is stored in pieces that can be checked one by one.
    std::unique_ptr<PieceReader> m_pieces;
    std::function<Result<>(BytesView)> m_stored_sink;

    ZipEntry m_entry;
    bool m_in_entry = false;
    bool m_at_directory = false;
    bool m_has_zip64_sizes = false;
    std::uint32_t m_expected_crc = 0;
    std::optional<std::uint64_t> m_expected_stored_size;
    std::uint32_t m_crc = 0;
    std::uint64_t m_size = 0;
    std::uint64_t m_stored_size = 0;
    bool m_checks_crc = true;
    unsigned m_entry_count = 0;
    std::uint64_t m_entry_offset = 0;
    std::uint64_t m_checked_bytes = 0;
    std::span<ZipDirectoryEntry const> m_directory;
};

} // namespace sinew::firmware
