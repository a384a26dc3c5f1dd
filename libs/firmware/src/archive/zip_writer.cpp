#include "archive/zip_writer.hpp"

#include "archive/checksum.hpp"
#include "archive/deflate_encoder.hpp"
#include "archive/zip_format.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t buffer_size = 256u << 10;
/// What is compressed at once.
constexpr std::size_t most_at_once = 8u << 20;

/// Appends little-endian fields to a record.
class Record {
public:
    Record& u16(std::uint64_t value) { return append(value, 2); }
    Record& u32(std::uint64_t value) { return append(value, 4); }
    Record& u64(std::uint64_t value) { return append(value, 8); }
    Record& text(std::string_view value) {
        auto const bytes = sinew::as_bytes(value);
        m_bytes.insert(m_bytes.end(), bytes.begin(), bytes.end());
        return *this;
    }
    Record& bytes(BytesView value) {
        m_bytes.insert(m_bytes.end(), value.begin(), value.end());
        return *this;
    }
    [[nodiscard]] Bytes const& get() const { return m_bytes; }

private:
    Record& append(std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) {
            m_bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
        }
        return *this;
    }
    Bytes m_bytes;
};

std::uint32_t dos_time(std::optional<std::int64_t> modified) {
    using namespace std::chrono;
    if (!modified) {
        return zip::dos_epoch;
    }
    sys_seconds const moment{seconds(*modified)};
    auto const day = floor<days>(moment);
    year_month_day const date(day);
    hh_mm_ss const time(moment - day);
    auto const year = static_cast<int>(date.year());
    if (year < 1980 || year > 2107) {
        return zip::dos_epoch;
    }
    auto const date_bits = static_cast<std::uint32_t>(year - 1980) << 9 |
                           static_cast<std::uint32_t>(static_cast<unsigned>(date.month())) << 5 |
                           static_cast<std::uint32_t>(static_cast<unsigned>(date.day()));
    auto const time_bits = static_cast<std::uint32_t>(time.hours().count()) << 11 |
                           static_cast<std::uint32_t>(time.minutes().count()) << 5 |
                           static_cast<std::uint32_t>(time.seconds().count()) / 2;
    return date_bits << 16 | time_bits;
}

bool needs_zip64(std::uint64_t size) {
    return size >= zip::size_in_extra;
}

std::uint32_t low(std::uint64_t size) {
    return needs_zip64(size) ? zip::size_in_extra : static_cast<std::uint32_t>(size);
}

void append_common_extra(Record& extra, std::optional<std::int64_t> modified) {
    if (modified) {
        extra.u16(zip::extra_times).u16(5).text("\x01").u32(static_cast<std::uint64_t>(*modified));
    } else {
        extra.u16(zip::extra_times).u16(1).bytes(Bytes(1));
    }
    extra.u16(zip::extra_owner).u16(11).text("\x01\x04").u32(0).text("\x04").u32(0);
}

std::uint16_t flags_of(std::string const& name) {
    bool const is_ascii =
        std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return static_cast<std::uint16_t>(zip::flag_descriptor | (is_ascii ? 0 : zip::flag_utf8));
}

std::uint16_t version_for(std::uint16_t method, bool is_wide) {
    if (is_wide && method != zip::method_zstd) {
        return 45;
    }
    switch (method) {
    case zip::method_stored:
        return 10;
    case zip::method_zstd:
        return 63;
    default:
        return 20;
    }
}

} // namespace

Result<> ZipWriter::put(BytesView bytes) {
    m_offset += bytes.size();
    if (m_buffer.size() + bytes.size() > buffer_size) {
        TRY_OK(flush());
    }
    if (bytes.size() >= buffer_size) {
        return write_all(m_file, bytes);
    }
    m_buffer.insert(m_buffer.end(), bytes.begin(), bytes.end());
    return {};
}

Result<> ZipWriter::flush() {
    TRY_OK(write_all(m_file, m_buffer));
    m_buffer.clear();
    return {};
}

Result<> ZipWriter::begin_entry(EntryHeader const& header) {
    m_entries.push_back({header, {}, m_offset});
    bool const is_wide = needs_zip64(header.size_bytes);
    Record extra;
    if (is_wide) {
        extra.u16(zip::extra_zip64).u16(16).u64(header.size_bytes).u64(0);
    }
    append_common_extra(extra, header.modified);
    if (!header.notes.empty()) {
        extra.u16(zip::extra_notes).u16(header.notes.size()).bytes(header.notes);
    }
    Record record;
    record.u32(zip::local_header_mark).u16(version_for(header.method, is_wide)).u16(flags_of(header.name));
    record.u16(header.method).u32(dos_time(header.modified)).u32(0);
    record.u32(is_wide ? zip::size_in_extra : 0).u32(low(header.size_bytes));
    record.u16(header.name.size()).u16(extra.get().size()).text(header.name).bytes(extra.get());
    return put(record.get());
}

Result<> ZipWriter::write_stored(BytesView bytes) {
    return put(bytes);
}

Result<> ZipWriter::end_entry(EntrySums const& sums) {
    auto& entry = m_entries.back();
    entry.sums = sums;
    bool const is_wide = needs_zip64(entry.header.size_bytes);
    Record record;
    record.u32(zip::descriptor_mark).u32(sums.crc);
    if (is_wide) {
        record.u64(sums.stored_bytes).u64(sums.size_bytes);
    } else {
        record.u32(sums.stored_bytes).u32(sums.size_bytes);
    }
    return put(record.get());
}

Result<> ZipWriter::add(EntryHeader header, BytesView content, int level) {
    Bytes compressed;
    EntrySums sums;
    sums.crc = crc32_of(content);
    sums.size_bytes = content.size();
    header.size_bytes = content.size();
    header.method = level == 0 ? zip::method_stored : zip::method_deflate;
    if (level != 0) {
        DeflateEncoder encoder(level);
        for (; !content.empty(); content = content.subspan(std::min(content.size(), most_at_once))) {
            auto const part = encoder.encode(content.first(std::min(content.size(), most_at_once)));
            compressed.insert(compressed.end(), part.begin(), part.end());
        }
        compressed.insert(compressed.end(), end_of_deflate.begin(), end_of_deflate.end());
        content = compressed;
    }
    sums.stored_bytes = content.size();
    TRY_OK(begin_entry(header));
    TRY_OK(write_stored(content));
    return end_entry(sums);
}

Result<> ZipWriter::write_central_header(Written const& entry) {
    auto const& sums = entry.sums;
    bool const is_wide =
        needs_zip64(sums.size_bytes) || needs_zip64(sums.stored_bytes) || needs_zip64(entry.offset);
    Record extra;
    if (is_wide) {
        Record sizes;
        for (auto const size : {sums.size_bytes, sums.stored_bytes, entry.offset}) {
            if (needs_zip64(size)) {
                sizes.u64(size);
            }
        }
        extra.u16(zip::extra_zip64).u16(sizes.get().size()).bytes(sizes.get());
    }
    append_common_extra(extra, entry.header.modified);
    auto const version = version_for(entry.header.method, is_wide);
    constexpr std::uint16_t made_on_unix = 3u << 8;
    constexpr std::uint64_t mode_0644 = 0100644ull << 16;
    Record record;
    record.u32(zip::central_header_mark)
        .u16(made_on_unix | version)
        .u16(version)
        .u16(flags_of(entry.header.name));
    record.u16(entry.header.method).u32(dos_time(entry.header.modified)).u32(sums.crc);
    record.u32(low(sums.stored_bytes)).u32(low(sums.size_bytes));
    record.u16(entry.header.name.size()).u16(extra.get().size()).u16(0).u16(0).u16(0).u32(mode_0644);
    record.u32(low(entry.offset)).text(entry.header.name).bytes(extra.get());
    return put(record.get());
}

Result<> ZipWriter::write_end(std::uint64_t directory_offset, std::uint64_t directory_size) {
    auto const count = m_entries.size();
    Record record;
    if (needs_zip64(directory_offset) || count >= 0xFFFF) {
        auto const end64_offset = m_offset;
        record.u32(zip::end64_mark).u64(44).u16(45).u16(45).u32(0).u32(0).u64(count).u64(count);
        record.u64(directory_size).u64(directory_offset);
        record.u32(zip::locator64_mark).u32(0).u64(end64_offset).u32(1);
    }
    auto const short_count = std::min<std::size_t>(count, 0xFFFF);
    record.u32(zip::end_mark).u16(0).u16(0).u16(short_count).u16(short_count);
    record.u32(low(directory_size)).u32(low(directory_offset)).u16(0);
    return put(record.get());
}

Result<> ZipWriter::finish() {
    auto const directory_offset = m_offset;
    for (auto const& entry : m_entries) {
        TRY_OK(write_central_header(entry));
    }
    TRY_OK(write_end(directory_offset, m_offset - directory_offset));
    return flush();
}

} // namespace sinew::firmware
