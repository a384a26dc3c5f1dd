#include "archive/piece_packer.hpp"

#include "archive/checksum.hpp"
#include "archive/deflate_encoder.hpp"
#include "archive/notes.hpp"
#include "archive/zip_format.hpp"
#include "archive/zip_writer.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

/// The level of zstd that takes about as long as ours should.
int zstd_level(int level) {
    constexpr std::array levels{1, 1, 1, 2, 2, 3, 3, 6, 9, 12};
    return levels[static_cast<std::size_t>(std::clamp(level, 1, 9))];
}

} // namespace

/// What compresses a piece.
class PiecePacker::Coder {
public:
    Coder(std::uint16_t method, int level) {
        if (method == zip::method_deflate) {
            m_deflate = std::make_unique<DeflateEncoder>(level);
        } else {
            m_zstd.reset(ZSTD_createCCtx());
            if (!m_zstd) {
                throw std::runtime_error("zstd can't start: out of memory");
            }
            ZSTD_CCtx_setParameter(m_zstd.get(), ZSTD_c_compressionLevel, zstd_level(level));
        }
    }
    Bytes pack(BytesView content) {
        if (m_deflate) {
            return m_deflate->encode(content);
        }
        Bytes packed(ZSTD_compressBound(content.size()));
        auto const size =
            ZSTD_compress2(m_zstd.get(), packed.data(), packed.size(), content.data(), content.size());
        if (ZSTD_isError(size) != 0) {
            throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(size));
        }
        packed.resize(size);
        return packed;
    }

private:
    std::unique_ptr<DeflateEncoder> m_deflate;
    std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> m_zstd{nullptr, ZSTD_freeCCtx};
};

PiecePacker::PiecePacker(PieceOptions const& options, std::function<Result<>(BytesView)> sink)
    : m_options(options)
    , m_sink(std::move(sink))
    , m_coders([options] { return std::make_unique<Coder>(options.method, options.level); })
    , m_work([this](Packed const& packed) { return take(packed); }, options.cores) {
    m_checkpoints.piece_bytes = piece_bytes_for(options.content_bytes);
}

PiecePacker::~PiecePacker() = default;

Result<> PiecePacker::put(BytesView bytes) {
    m_sums.stored_bytes += bytes.size();
    return m_sink(bytes);
}

Result<> PiecePacker::take(Packed const& packed) {
    m_checkpoints.pieces.push_back({static_cast<std::uint32_t>(packed.stored.size()), packed.crc});
    return put(packed.stored);
}

Result<> PiecePacker::feed(BytesView content) {
    m_sums.crc = crc32_of(content, m_sums.crc);
    m_sums.size_bytes += content.size();
    while (!content.empty()) {
        m_piece.reserve(m_checkpoints.piece_bytes);
        auto const part =
            content.first(std::min<std::size_t>(content.size(), m_checkpoints.piece_bytes - m_piece.size()));
        m_piece.insert(m_piece.end(), part.begin(), part.end());
        content = content.subspan(part.size());
        if (m_piece.size() == m_checkpoints.piece_bytes) {
            TRY_OK(send_piece());
        }
    }
    return {};
}

Result<> PiecePacker::send_piece() {
    auto piece = std::exchange(m_piece, {});
    if (m_options.method == zip::method_stored) {
        auto const crc = crc32_of(piece);
        return take({std::move(piece), crc});
    }
    return m_work.add([this, piece = std::move(piece)] {
        auto stored = m_coders.with_one([&](Coder& coder) { return coder.pack(piece); });
        auto const crc = crc32_of(stored);
        return Packed{std::move(stored), crc};
    });
}

Result<> PiecePacker::finish() {
    if (!m_piece.empty()) {
        TRY_OK(send_piece());
    }
    TRY_OK(m_work.finish());
    return m_options.method == zip::method_deflate ? put(end_of_deflate) : Result<>{};
}

std::uint16_t PiecePacker::method() const noexcept {
    bool const is_no_frame = m_options.method == zip::method_zstd && m_sums.size_bytes == 0;
    return is_no_frame ? zip::method_stored : m_options.method;
}

Bytes PiecePacker::notes() const {
    Bytes notes;
    if (m_sums.size_bytes > 0 && m_checkpoints.pieces.size() <= most_checkpoints) {
        append_note(notes, m_checkpoints);
    }
    return notes;
}

Result<> add_in_pieces(ZipWriter& writer, ZipWriter::EntryHeader header, BytesView content, int level) {
    Bytes stored;
    PieceOptions options;
    options.method = header.method;
    options.level = level;
    options.content_bytes = content.size();
    PiecePacker packer(options, [&](BytesView bytes) -> Result<> {
        stored.insert(stored.end(), bytes.begin(), bytes.end());
        return {};
    });
    TRY_OK(packer.feed(content));
    TRY_OK(packer.finish());
    header.size_bytes = content.size();
    header.notes = packer.notes();
    TRY_OK(writer.begin_entry(header));
    TRY_OK(writer.write_stored(stored));
    return writer.end_entry(packer.sums());
}

} // namespace sinew::firmware
