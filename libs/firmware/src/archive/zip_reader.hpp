/// Reads a ZIP archive from a stream, forward only, without its central directory.
///
/// Invariant: memory is bounded whatever the archive says, and an entry that was read to its end had the
/// right CRC and sizes. Threading: belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sinew::firmware {

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
    /// Borrows `input`.
    explicit ZipReader(InputStream& input);
    ZipReader(ZipReader const&) = delete;
    ZipReader& operator=(ZipReader const&) = delete;
    ~ZipReader();

    /// Skips what is left of the current entry and goes to the next; nothing at the end of the entries.
    /// Errors: corrupt: truncated, or not an archive; unsupported: encrypted, or an unknown method.
    [[nodiscard]] Result<std::optional<ZipEntry>> next();
    /// Reads up to `into.size()` bytes of the current entry's content; 0 means its end, and that CRC and
    /// sizes agree.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into);
    /// After next() has returned nothing: reads on to the end mark of the archive, so that a cut in its
    /// directory is found too.
    [[nodiscard]] Result<> read_directory();
    /// Called with the content of each entry as it is stored, when set; used to copy entries as they are.
    void on_stored_bytes(std::function<Result<>(BytesView)> sink) { m_stored_sink = std::move(sink); }
    /// Bytes taken from the stream so far.
    [[nodiscard]] std::uint64_t bytes_in() const noexcept { return m_bytes_in; }

private:
    struct Inflater;
    Result<> refill();
    /// The next `count` bytes (at most the buffer's size), without a gap; taken from the stream.
    Result<BytesView> take(std::size_t count, std::string_view what);
    Result<ZipEntry> read_local_header();
    Result<> read_extra_fields(BytesView extra, ZipEntry& entry);
    Result<std::size_t> read_stored(MutableBytesView into);
    Result<std::size_t> read_deflated(MutableBytesView into);
    Result<> pass_stored(BytesView bytes);
    Result<> finish_entry();
    Result<> check_descriptor();
    std::unexpected<Error> truncated(std::string_view what) const;
    std::unexpected<Error> damaged(std::string const& what) const;

    InputStream& m_input;
    Bytes m_buffer;
    std::size_t m_begin = 0;
    std::size_t m_end = 0;
    std::uint64_t m_bytes_in = 0;
    std::unique_ptr<Inflater> m_inflater;
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
    unsigned m_entry_count = 0;
};

} // namespace sinew::firmware
