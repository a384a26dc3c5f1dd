/// What stands behind the content of entries: descriptors, and the directory at the end of the archive.
#include "archive/piece_reader.hpp"
#include "archive/stream_inflater.hpp"
#include "archive/zip_format.hpp"
#include "archive/zip_reader.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware {

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
    m_checked_bytes = position();
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
            m_checked_bytes = position();
            return {};
        default:
            return failure(ErrorCode::corrupt, "the archive's directory is damaged; get the file again");
        }
    }
}

} // namespace sinew::firmware
