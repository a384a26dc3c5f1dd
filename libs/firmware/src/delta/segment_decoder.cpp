/// The decoder of our own patches.
#include "delta/segment_decoder.hpp"

#include "delta/segment_patch.hpp"
#include "delta/source.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace sinew::firmware {

namespace {

std::unexpected<Error> damaged(std::string const& what) {
    return failure(ErrorCode::corrupt, "the patch is damaged: " + what + "; get the file again");
}

} // namespace

namespace segment_patch {

std::array<std::byte, header_bytes> format_header(Header const& header) {
    std::array<std::byte, header_bytes> bytes{};
    std::ranges::copy(as_bytes(magic), bytes.begin());
    store_le64(bytes, 8, header.source_bytes);
    std::ranges::copy(header.source_hash, bytes.begin() + 16);
    store_le64(bytes, 48, header.target_bytes);
    store_le32(bytes, 56, header.segment_bytes);
    store_le32(bytes, 60, header.window_bytes);
    return bytes;
}

Result<Header> parse_header(BytesView bytes) {
    if (bytes.size() < header_bytes || as_text(bytes.first(magic.size())) != magic) {
        return damaged("it doesn't begin as one");
    }
    Header header;
    header.source_bytes = load_le64(bytes, 8);
    std::ranges::copy(bytes.subspan(16, header.source_hash.size()), header.source_hash.begin());
    header.target_bytes = load_le64(bytes, 48);
    header.segment_bytes = load_le32(bytes, 56);
    header.window_bytes = load_le32(bytes, 60);
    if (header.segment_bytes == 0 || header.segment_bytes > largest_segment ||
        header.window_bytes > largest_window) {
        return damaged("it would need more memory than a patch may");
    }
    return header;
}

} // namespace segment_patch

/// zstd's state for one segment after another.
struct SegmentDecoder::Unpacker {
    ZSTD_DCtx* context = ZSTD_createDCtx();
    Unpacker() {
        if (context == nullptr) {
            throw std::runtime_error("zstd can't start: out of memory");
        }
    }
    Unpacker(Unpacker const&) = delete;
    Unpacker& operator=(Unpacker const&) = delete;
    ~Unpacker() { ZSTD_freeDCtx(context); }
};

SegmentDecoder::SegmentDecoder(InputStream& patch, DeltaSource& source)
    : m_patch(patch)
    , m_source(source)
    , m_unpacker(std::make_unique<Unpacker>()) {}

SegmentDecoder::~SegmentDecoder() = default;

Result<> SegmentDecoder::read_exactly(MutableBytesView into) {
    while (!into.empty()) {
        TRY(auto const count, m_patch.read(into));
        if (count == 0) {
            return damaged("it ends in the middle");
        }
        into = into.subspan(count);
    }
    return {};
}

Result<> SegmentDecoder::read_header() {
    std::array<std::byte, segment_patch::header_bytes> bytes{};
    TRY_OK(read_exactly(bytes));
    TRY(m_header, segment_patch::parse_header(bytes));
    m_target_left = m_header.target_bytes;
    // At once, so that neither is ever there twice while it grows. Memory counts when it is written to.
    m_window.reserve(m_header.window_bytes);
    m_segment.reserve(m_header.segment_bytes);
    m_has_header = true;
    return {};
}

Result<std::size_t> SegmentDecoder::read(MutableBytesView into) {
    if (!m_has_header) {
        TRY_OK(read_header());
    }
    if (m_passed_on == m_segment.size()) {
        if (m_target_left == 0) {
            TRY_OK(read_end());
            return std::size_t{0};
        }
        TRY_OK(read_segment());
    }
    auto const count = std::min(into.size(), m_segment.size() - m_passed_on);
    std::copy_n(m_segment.begin() + static_cast<std::ptrdiff_t>(m_passed_on), count, into.begin());
    m_passed_on += count;
    return count;
}

Result<> SegmentDecoder::read_end() {
    std::array<std::byte, 1> behind{};
    TRY(auto const count, m_patch.read(behind));
    return count == 0 ? Result<>{} : damaged("it goes on behind its end");
}

Result<std::uint64_t> SegmentDecoder::measure(InputStream& patch) {
    UnknownSource source;
    SegmentDecoder decoder(patch, source);
    TRY_OK(decoder.read_header());
    while (decoder.m_target_left > 0) {
        TRY(auto const size, decoder.read_packed());
        decoder.m_target_left -= size;
    }
    TRY_OK(decoder.read_end());
    return decoder.m_header.target_bytes;
}

Result<std::size_t> SegmentDecoder::read_packed() {
    std::array<std::byte, segment_patch::record_bytes> record{};
    TRY_OK(read_exactly(record));
    auto const size =
        static_cast<std::size_t>(std::min<std::uint64_t>(m_target_left, m_header.segment_bytes));
    auto const packed_bytes = load_le32(record, 4);
    if (packed_bytes > ZSTD_compressBound(size)) {
        return damaged("a segment is larger packed than unpacked");
    }
    TRY_OK(read_window(load_le32(record, 0)));
    m_packed.resize(packed_bytes);
    TRY_OK(read_exactly(m_packed));
    return size;
}

Result<> SegmentDecoder::read_segment() {
    TRY(auto const size, read_packed());
    m_segment.resize(size);
    m_passed_on = size; // nothing of it may be passed on before it is known to be right
    auto* const context = m_unpacker->context;
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_DCtx_refPrefix(context, m_window.data(), m_window.size());
    auto const made =
        ZSTD_decompressDCtx(context, m_segment.data(), m_segment.size(), m_packed.data(), m_packed.size());
    if (ZSTD_isError(made) != 0 || made != size) {
        return failure(ErrorCode::corrupt,
                       "a segment of the patch came out wrong: the patch is damaged, or it was made from "
                       "something else than what is on the device");
    }
    Bytes().swap(m_packed); // not needed while the segment is passed on
    m_target_left -= size;
    m_passed_on = 0;
    return {};
}

Result<> SegmentDecoder::read_window(std::uint32_t piece_count) {
    if (piece_count > segment_patch::most_pieces) {
        return damaged("a segment has too many pieces");
    }
    Bytes pieces(piece_count * segment_patch::piece_bytes);
    TRY_OK(read_exactly(pieces));
    std::uint64_t total = 0;
    for (std::size_t at = 0; at < pieces.size(); at += segment_patch::piece_bytes) {
        total += load_le32(pieces, at + 8);
    }
    if (total > m_header.window_bytes) {
        return damaged("a segment's pieces are larger than its window");
    }
    m_window.resize(static_cast<std::size_t>(total));
    auto rest = MutableBytesView(m_window);
    for (std::size_t at = 0; at < pieces.size(); at += segment_patch::piece_bytes) {
        auto const piece = rest.first(load_le32(pieces, at + 8));
        auto const offset = load_le64(pieces, at);
        if (offset > m_header.source_bytes || piece.size() > m_header.source_bytes - offset) {
            return damaged("a segment needs more than what it was made for has");
        }
        TRY_OK(m_source.read_at(offset, piece));
        rest = rest.subspan(piece.size());
    }
    return {};
}

} // namespace sinew::firmware
