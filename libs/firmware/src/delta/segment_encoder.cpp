/// The encoder of our own patches.
#include "delta/segment_encoder.hpp"

#include "archive/hash.hpp"
#include "delta/segment_patch.hpp"
#include "delta/source_index.hpp"
#include "parallel/idle_pool.hpp"
#include "parallel/ordered_work.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sinew::firmware {

namespace {

using segment_patch::Piece;

// With these, the bench's delta is 1 % larger than with tables for all of the window.
constexpr int short_match_log = 17;
constexpr int shortest_long_match = 32;
constexpr int long_match_rate_log = 5;

/// zstd's state, for one thread.
class Compressor {
public:
    explicit Compressor(SegmentPatchOptions const& options)
        : m_context(ZSTD_createCCtx(), ZSTD_freeCCtx) {
        set(ZSTD_c_compressionLevel, options.compression_level);
        set(ZSTD_c_checksumFlag, 1);
        set(ZSTD_c_contentSizeFlag, 1);
        // What is alike in the window is found by long matches, and by going on where the last one ended; so the
        // tables for short ones need not hold the window, which would cost most of the time.
        set(ZSTD_c_hashLog, short_match_log);
        set(ZSTD_c_chainLog, short_match_log);
        set(ZSTD_c_enableLongDistanceMatching, 1);
        set(ZSTD_c_ldmMinMatch, shortest_long_match);
        set(ZSTD_c_ldmHashRateLog, long_match_rate_log);
        // Its window must reach back over the whole prefix.
        set(ZSTD_c_windowLog, static_cast<int>(std::bit_width(options.segment_bytes + options.window_bytes)));
    }
    Bytes compress(BytesView prefix, BytesView content) {
        Bytes packed(ZSTD_compressBound(content.size()));
        check(ZSTD_CCtx_refPrefix(m_context.get(), prefix.data(), prefix.size()));
        packed.resize(check(
            ZSTD_compress2(m_context.get(), packed.data(), packed.size(), content.data(), content.size())));
        return packed;
    }

private:
    static std::size_t check(std::size_t status) {
        if (ZSTD_isError(status) != 0) {
            throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(status));
        }
        return status;
    }
    void set(ZSTD_cParameter parameter, int value) {
        check(ZSTD_CCtx_setParameter(m_context.get(), parameter, value));
    }
    std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> m_context;
};

/// The record of a segment, its pieces, and its packed content.
Bytes format_segment(std::vector<Piece> const& pieces, BytesView packed) {
    Bytes bytes(segment_patch::record_bytes + pieces.size() * segment_patch::piece_bytes);
    store_le32(bytes, 0, static_cast<std::uint32_t>(pieces.size()));
    store_le32(bytes, 4, static_cast<std::uint32_t>(packed.size()));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        auto const at = segment_patch::record_bytes + i * segment_patch::piece_bytes;
        store_le64(bytes, at, pieces[i].offset);
        store_le32(bytes, at + 8, pieces[i].length);
    }
    bytes.insert(bytes.end(), packed.begin(), packed.end());
    return bytes;
}

Bytes encode_segment(SourceIndex const& index, BytesView source, BytesView target, Compressor& compressor,
                     SegmentPatchOptions const& options) {
    auto const pieces = index.pieces_for(target, options.window_bytes);
    Bytes window;
    for (auto const& piece : pieces) {
        auto const bytes = source.subspan(static_cast<std::size_t>(piece.offset), piece.length);
        window.insert(window.end(), bytes.begin(), bytes.end());
    }
    return format_segment(pieces, compressor.compress(window, target));
}

} // namespace

Result<Bytes> encode_segments(BytesView source, Blake2b256::Digest const& source_hash, BytesView target,
                              SegmentPatchOptions const& options) {
    if (source.size() >= std::numeric_limits<std::uint32_t>::max()) {
        return failure(ErrorCode::invalid_argument, "a patch can't be made from 4 GiB or more");
    }
    if (options.segment_bytes == 0 || options.segment_bytes > segment_patch::largest_segment ||
        options.window_bytes > segment_patch::largest_window) {
        return failure(ErrorCode::invalid_argument,
                       "segments may have 1 byte to 8 MiB, windows up to 24 MiB");
    }
    auto const header = segment_patch::format_header(
        {source.size(), source_hash, target.size(), options.segment_bytes, options.window_bytes});
    Bytes patch(header.begin(), header.end());
    SourceIndex const index(source);
    auto const collect = [&](Bytes segment) -> Result<> {
        patch.insert(patch.end(), segment.begin(), segment.end());
        return {};
    };
    IdlePool<Compressor> compressors([&options] { return std::make_unique<Compressor>(options); });
    OrderedWork<Bytes> work(collect);
    for (std::size_t at = 0; at < target.size(); at += options.segment_bytes) {
        auto const segment =
            target.subspan(at, std::min<std::size_t>(options.segment_bytes, target.size() - at));
        TRY_OK(work.add([&, segment] {
            return compressors.with_one([&](Compressor& compressor) {
                return encode_segment(index, source, segment, compressor, options);
            });
        }));
        if (options.on_bytes) {
            options.on_bytes(segment.size());
        }
    }
    TRY_OK(work.finish());
    return patch;
}

} // namespace sinew::firmware
