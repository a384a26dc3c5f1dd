/// The forward-only reader. Invariant and threading: see the header.
#include "archive/zip_reader.hpp"

#include "archive/zip_format.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t buffer_size = 128u << 10;
constexpr unsigned most_entries = 20'000;

std::uint32_t update_crc(std::uint32_t crc, BytesView bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(crc, reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()));
}

} // namespace

/// zlib's state for one entry after another.
struct ZipReader::Inflater {
    z_stream stream{};
    bool ended = false;
    Inflater() {
        if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
            throw std::runtime_error("zlib cannot start: out of memory");
        }
    }
    Inflater(Inflater const&) = delete;
    Inflater& operator=(Inflater const&) = delete;
    ~Inflater() { inflateEnd(&stream); }
    void restart() {
        inflateReset(&stream);
        ended = false;
    }
};

ZipReader::ZipReader(InputStream& input)
    : m_input(input)
    , m_buffer(buffer_size) {}

ZipReader::~ZipReader() = default;

std::unexpected<Error> ZipReader::truncated(std::string_view what) const {
    return failure(ErrorCode::corrupt, "the archive is truncated: it ends after " +
                                           std::to_string(m_bytes_in) + " bytes, in " + std::string(what) +
                                           "; get the whole file again");
}

std::unexpected<Error> ZipReader::damaged(std::string const& what) const {
    auto const name = m_entry.name.starts_with("data/") ? "resource '" + m_entry.name.substr(5) + "'"
                                                        : "'" + m_entry.name + "'";
    return failure(ErrorCode::corrupt, name + " in the archive is damaged: " + what + "; get the file again");
}

Result<> ZipReader::refill() {
    if (m_begin > 0) {
        std::copy(m_buffer.begin() + static_cast<std::ptrdiff_t>(m_begin),
                  m_buffer.begin() + static_cast<std::ptrdiff_t>(m_end), m_buffer.begin());
        m_end -= m_begin;
        m_begin = 0;
    }
    TRY(auto const count, m_input.read(MutableBytesView(m_buffer).subspan(m_end)));
    m_end += count;
    m_bytes_in += count;
    return {};
}

Result<BytesView> ZipReader::take(std::size_t count, std::string_view what) {
    while (m_end - m_begin < count) {
        auto const before = m_end - m_begin;
        TRY_OK(refill());
        if (m_end - m_begin == before) {
            return truncated(what);
        }
    }
    auto const bytes = BytesView(m_buffer).subspan(m_begin, count);
    m_begin += count;
    return bytes;
}

Result<std::optional<ZipEntry>> ZipReader::next() {
    TRY(bool const is_behind, skip_entry());
    if (!is_behind) {
        std::array<std::byte, 16384> ignored{};
        while (true) {
            TRY(auto const count, read(ignored));
            if (count == 0) {
                break;
            }
        }
    }
    if (m_at_directory) {
        return std::nullopt;
    }
    m_entry_offset = m_bytes_in - (m_end - m_begin);
    TRY(auto const mark_bytes, take(4, m_entry_count == 0 ? "its very beginning" : "a header"));
    auto const mark = load_le32(mark_bytes, 0);
    if ((mark == zip::central_header_mark || mark == zip::end_mark) && m_entry_count > 0) {
        m_begin -= 4;
        m_at_directory = true;
        return std::nullopt;
    }
    if (mark != zip::local_header_mark) {
        return failure(ErrorCode::corrupt,
                       m_entry_count == 0
                           ? std::string("this is not a firmware archive; a .fw file is expected")
                           : "the archive is damaged behind '" + m_entry.name +
                                 "': no entry begins where one must; get the file again");
    }
    if (++m_entry_count > most_entries) {
        return failure(ErrorCode::corrupt,
                       "the archive has more than " + std::to_string(most_entries) + " entries");
    }
    TRY(m_entry, read_local_header());
    m_in_entry = true;
    m_checks_crc = true;
    m_crc = 0;
    m_size = 0;
    m_stored_size = 0;
    return m_entry;
}

Result<bool> ZipReader::skip_entry() {
    if (!m_in_entry) {
        return true;
    }
    auto const place = std::ranges::find(m_directory, m_entry_offset, &ZipDirectoryEntry::offset);
    bool const is_untouched = m_size == 0 && m_stored_size == 0;
    bool const is_wide =
        m_has_zip64_sizes || (place != m_directory.end() && (place->stored_bytes == zip::size_in_extra ||
                                                             place->size_bytes == zip::size_in_extra));
    if (place == m_directory.end() || place->name != m_entry.name || !is_untouched || is_wide ||
        m_stored_sink) {
        return false;
    }
    TRY_OK(move_on(place->stored_bytes));
    m_stored_size = place->stored_bytes;
    m_size = place->size_bytes;
    m_checks_crc = false;
    m_in_entry = false;
    TRY_OK(finish_entry());
    return true;
}

Result<> ZipReader::move_on(std::uint64_t count) {
    auto const buffered = std::min<std::uint64_t>(count, m_end - m_begin);
    m_begin += static_cast<std::size_t>(buffered);
    if (count > buffered) {
        TRY_OK(m_input.skip(count - buffered));
        m_bytes_in += count - buffered;
    }
    return {};
}

Result<ZipEntry> ZipReader::read_local_header() {
    TRY(auto const header, take(zip::local_header_size - 4, "a header"));
    ZipEntry entry;
    entry.flags = load_le16(header, 2);
    entry.method = load_le16(header, 4);
    m_expected_crc = load_le32(header, 10);
    auto const stored_size = load_le32(header, 14);
    auto const size = load_le32(header, 18);
    auto const name_size = load_le16(header, 22);
    auto const extra_size = load_le16(header, 24);
    bool const has_descriptor = (entry.flags & zip::flag_descriptor) != 0;

    if (name_size > zip::longest_name) {
        return failure(ErrorCode::corrupt, "the archive has an entry whose name is longer than 511 bytes");
    }
    TRY(auto const name, take(name_size, "a name"));
    entry.name = as_text(name);
    entry.size_bytes = has_descriptor && size == 0 ? std::nullopt : std::optional<std::uint64_t>(size);
    m_expected_stored_size = has_descriptor ? std::nullopt : std::optional<std::uint64_t>(stored_size);
    m_has_zip64_sizes = false;
    TRY(auto const extra, take(extra_size, "a header"));
    TRY_OK(read_extra_fields(extra, entry));

    if ((entry.flags & zip::flag_encrypted) != 0) {
        return failure(ErrorCode::unsupported,
                       "'" + entry.name + "' is encrypted by a password; that isn't supported");
    }
    if (entry.method == zip::method_deflate) {
        if (!m_inflater) {
            m_inflater = std::make_unique<Inflater>();
        }
        m_inflater->restart();
    } else if (entry.method != zip::method_stored) {
        return failure(ErrorCode::unsupported, "'" + entry.name + "' is compressed by method " +
                                                   std::to_string(entry.method) +
                                                   "; only stored and deflate are supported");
    } else if (has_descriptor) {
        // libarchive gives the size here although it also writes a descriptor; nothing else marks the end.
        m_expected_stored_size = entry.size_bytes.value_or(0);
    }
    return entry;
}

Result<> ZipReader::read_extra_fields(BytesView extra, ZipEntry& entry) {
    while (extra.size() >= 4) {
        auto const tag = load_le16(extra, 0);
        auto const size = load_le16(extra, 2);
        if (size > extra.size() - 4) {
            break;
        }
        auto const field = extra.subspan(4, size);
        if (tag == zip::extra_times && size >= 5 && (static_cast<unsigned>(field[0]) & 1u) != 0) {
            entry.modified = static_cast<std::int32_t>(load_le32(field, 1));
        } else if (tag == zip::extra_notes) {
            entry.notes.assign(field.begin(), field.end());
        } else if (tag == zip::extra_zip64) {
            m_has_zip64_sizes = true;
            std::size_t at = 0;
            if (entry.size_bytes == zip::size_in_extra && size >= at + 8) {
                entry.size_bytes = load_le64(field, at);
                at += 8;
            }
            if (m_expected_stored_size == zip::size_in_extra && size >= at + 8) {
                m_expected_stored_size = load_le64(field, at);
            }
        }
        extra = extra.subspan(4u + size);
    }
    return {};
}

Result<> ZipReader::pass_stored(BytesView bytes) {
    m_stored_size += bytes.size();
    return m_stored_sink ? m_stored_sink(bytes) : Result<>{};
}

Result<std::size_t> ZipReader::read(MutableBytesView into) {
    if (!m_in_entry || into.empty()) {
        return std::size_t{0};
    }
    TRY(auto const count, m_entry.method == zip::method_stored ? read_stored(into) : read_deflated(into));
    m_size += count;
    if (m_checks_crc) {
        m_crc = update_crc(m_crc, into.first(count));
    }
    if (count == 0) {
        m_in_entry = false;
        TRY_OK(finish_entry());
    }
    return count;
}

Result<std::size_t> ZipReader::read_stored(MutableBytesView into) {
    auto const left = m_expected_stored_size.value_or(0) - m_stored_size;
    auto const want = static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size()));
    if (want == 0) {
        return std::size_t{0};
    }
    if (m_begin == m_end) {
        TRY_OK(refill());
        if (m_begin == m_end) {
            return truncated("'" + m_entry.name + "'");
        }
    }
    auto const count = std::min(want, m_end - m_begin);
    auto const bytes = BytesView(m_buffer).subspan(m_begin, count);
    std::ranges::copy(bytes, into.begin());
    m_begin += count;
    TRY_OK(pass_stored(bytes));
    return count;
}

Result<std::size_t> ZipReader::read_deflated(MutableBytesView into) {
    auto& stream = m_inflater->stream;
    auto const room = std::min<std::size_t>(into.size(), 1u << 30);
    stream.next_out = reinterpret_cast<unsigned char*>(into.data());
    stream.avail_out = static_cast<unsigned>(room);
    while (stream.avail_out == room && !m_inflater->ended) {
        if (m_begin == m_end) {
            TRY_OK(refill());
            if (m_begin == m_end) {
                return truncated("'" + m_entry.name + "'");
            }
        }
        stream.next_in = reinterpret_cast<unsigned char*>(m_buffer.data() + m_begin);
        stream.avail_in = static_cast<unsigned>(m_end - m_begin);
        auto const status = inflate(&stream, Z_NO_FLUSH);
        auto const used = m_end - m_begin - stream.avail_in;
        auto const bytes = BytesView(m_buffer).subspan(m_begin, used);
        m_begin += used;
        TRY_OK(pass_stored(bytes));
        if (status == Z_STREAM_END) {
            m_inflater->ended = true;
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            return damaged("its compressed data makes no sense");
        }
    }
    return room - stream.avail_out;
}

Result<> ZipReader::finish_entry() {
    if ((m_entry.flags & zip::flag_descriptor) != 0) {
        TRY_OK(check_descriptor());
    } else if (m_expected_stored_size && m_stored_size != *m_expected_stored_size) {
        return damaged("its compressed size is wrong");
    }
    if (m_checks_crc && m_crc != m_expected_crc) {
        return damaged("its checksum is wrong");
    }
    if (m_entry.size_bytes && m_size != *m_entry.size_bytes) {
        return damaged("it has " + std::to_string(m_size) + " bytes instead of " +
                       std::to_string(*m_entry.size_bytes));
    }
    return {};
}

Result<> ZipReader::check_descriptor() {
    auto const where = "the end of '" + m_entry.name + "'";
    TRY(auto const first, take(4, where));
    if (load_le32(first, 0) == zip::descriptor_mark) {
        TRY(auto const crc, take(4, where));
        m_expected_crc = load_le32(crc, 0);
    } else {
        m_expected_crc = load_le32(first, 0);
    }
    bool const is_wide =
        m_has_zip64_sizes || m_stored_size > zip::size_in_extra || m_size > zip::size_in_extra;
    TRY(auto const sizes, take(is_wide ? 16 : 8, where));
    auto const stored_size = is_wide ? load_le64(sizes, 0) : load_le32(sizes, 0);
    auto const size = is_wide ? load_le64(sizes, 8) : load_le32(sizes, 4);
    if (stored_size != m_stored_size || size != m_size) {
        return damaged("its sizes are wrong");
    }
    return {};
}

Result<> ZipReader::read_directory() {
    constexpr std::string_view where = "its directory";
    while (true) {
        TRY(auto const mark_bytes, take(4, where));
        switch (load_le32(mark_bytes, 0)) {
        case zip::central_header_mark: {
            TRY(auto const header, take(zip::central_header_size - 4, where));
            auto const name_size = load_le16(header, 24);
            auto const extra_size = load_le16(header, 26);
            auto const comment_size = load_le16(header, 28);
            TRY_OK(take(name_size, where));
            TRY_OK(take(extra_size, where));
            TRY_OK(take(comment_size, where));
            break;
        }
        case zip::end64_mark: {
            TRY(auto const size, take(8, where));
            auto const rest = load_le64(size, 0);
            if (rest > 4096) {
                return failure(ErrorCode::corrupt, "the archive's directory is damaged; get the file again");
            }
            TRY_OK(take(static_cast<std::size_t>(rest), where));
            break;
        }
        case zip::locator64_mark:
            TRY_OK(take(16, where));
            break;
        case zip::end_mark:
            TRY_OK(take(zip::end_size - 4, where));
            return {};
        default:
            return failure(ErrorCode::corrupt, "the archive's directory is damaged; get the file again");
        }
    }
}

} // namespace sinew::firmware
