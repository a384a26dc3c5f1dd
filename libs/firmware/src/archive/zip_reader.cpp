#include "archive/zip_reader.hpp"

#include "archive/checksum.hpp"
#include "archive/notes.hpp"
#include "archive/piece_reader.hpp"
#include "archive/stream_inflater.hpp"
#include "archive/zip_format.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t buffer_size = 128u << 10;
constexpr unsigned most_entries = 20'000;

} // namespace

ZipReader::ZipReader(InputStream& input, std::uint64_t begins_at)
    : m_input(input)
    , m_buffer(buffer_size)
    , m_bytes_in(begins_at)
    , m_checked_bytes(begins_at) {}

ZipReader::~ZipReader() = default;

std::unexpected<Error> ZipReader::truncated(std::string_view what) const {
    return failure(ErrorCode::corrupt, "the archive is truncated: it ends after " +
                                           std::to_string(m_bytes_in) + " bytes, in " + std::string(what) +
                                           "; get the whole file again");
}

std::string ZipReader::what_entry() const {
    return m_entry.name.starts_with("data/") ? "resource '" + m_entry.name.substr(5) + "'"
                                             : "'" + m_entry.name + "'";
}

std::unexpected<Error> ZipReader::damaged(std::string const& what) const {
    return failure(ErrorCode::corrupt,
                   what_entry() + " in the archive is damaged: " + what + "; get the file again");
}

/// Damage in what was read since the last check.
std::unexpected<Error> ZipReader::damaged_there() const {
    auto const good = std::to_string(m_checked_bytes);
    return failure(ErrorCode::corrupt,
                   what_entry() + " is damaged between bytes " + good + " and " + std::to_string(position()) +
                       " of the archive: a checksum is wrong; get the file again, from byte " + good +
                       " on if you can");
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
    m_entry_offset = position();
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
    TRY_OK(begin_content());
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
        return m_pieces ? skip_pieces() : false;
    }
    TRY_OK(move_on(place->stored_bytes));
    m_stored_size = place->stored_bytes;
    m_size = place->size_bytes;
    m_checks_crc = false;
    TRY_OK(finish_entry());
    m_in_entry = false;
    m_pieces.reset();
    return true;
}

/// What isn't wanted needn't be unpacked.
Result<bool> ZipReader::skip_pieces() {
    TRY_OK(m_pieces->skip_rest());
    m_size = m_entry.size_bytes.value_or(0);
    m_checks_crc = false;
    TRY_OK(finish_entry());
    m_in_entry = false;
    m_pieces.reset();
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

/// Chooses how the content of the entry is read.
Result<> ZipReader::begin_content() {
    m_pieces.reset();
    auto const method = m_entry.method;
    bool const is_known =
        method == zip::method_stored || method == zip::method_deflate || method == zip::method_zstd;
    if (is_known && m_entry.size_bytes) {
        auto found = checkpoints(m_entry.notes, *m_entry.size_bytes);
        if (!found) {
            return damaged(found.error().message());
        }
        if (auto& list = *found; list.has_value()) {
            m_pieces = std::make_unique<PieceReader>(
                method, *std::move(list), *m_entry.size_bytes,
                PieceReader::Archive{[this](MutableBytesView into) { return read_raw(into); },
                                     [this] { m_checked_bytes = position(); },
                                     [this] { return damaged_there(); },
                                     [this](std::string const& what) { return damaged(what); }});
            return {};
        }
    }
    if (method == zip::method_deflate) {
        if (!m_inflater) {
            m_inflater = std::make_unique<StreamInflater>();
        }
        m_inflater->restart();
    } else if (method != zip::method_stored) {
        return failure(ErrorCode::unsupported,
                       "'" + m_entry.name + "' is compressed by method " + std::to_string(method) +
                           (method == zip::method_zstd
                                ? ", zstd, without the list of pieces that is needed to read it"
                                : "; only stored, deflate and zstd are supported"));
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
    TRY(auto const count, m_pieces                               ? m_pieces->read(into)
                          : m_entry.method == zip::method_stored ? read_stored(into)
                                                                 : read_deflated(into));
    m_size += count;
    if (m_checks_crc) {
        m_crc = crc32_of(into.first(count), m_crc);
    }
    if (count == 0) {
        TRY_OK(finish_entry());
        m_in_entry = false;
        m_pieces.reset();
    }
    return count;
}

/// What is stored next, past the buffer where that isn't needed.
Result<> ZipReader::read_raw(MutableBytesView into) {
    auto const buffered = std::min(into.size(), m_end - m_begin);
    std::ranges::copy(BytesView(m_buffer).subspan(m_begin, buffered), into.begin());
    m_begin += buffered;
    for (auto done = buffered; done < into.size();) {
        TRY(auto const count, m_input.read(into.subspan(done)));
        if (count == 0) {
            return truncated("'" + m_entry.name + "'");
        }
        m_bytes_in += count;
        done += count;
    }
    return pass_stored(into);
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
    into = into.first(std::min<std::size_t>(into.size(), 1u << 30));
    std::size_t made = 0;
    while (made == 0 && !m_inflater->has_ended()) {
        if (m_begin == m_end) {
            TRY_OK(refill());
            if (m_begin == m_end) {
                return truncated("'" + m_entry.name + "'");
            }
        }
        auto const rest = BytesView(m_buffer).subspan(m_begin, m_end - m_begin);
        auto const progress = m_inflater->inflate_some(rest, into);
        if (!progress) {
            return damaged("its compressed data makes no sense");
        }
        made = progress->made;
        m_begin += progress->used;
        TRY_OK(pass_stored(rest.first(progress->used)));
    }
    return made;
}

} // namespace sinew::firmware
