/// What stands before the content of entries: local headers.
#include "archive/zip_format.hpp"
#include "archive/zip_reader.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sinew::firmware {

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
    if (entry.method == zip::method_stored && has_descriptor) {
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

} // namespace sinew::firmware
