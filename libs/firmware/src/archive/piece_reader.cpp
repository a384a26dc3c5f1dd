/// Pieces, checked and unpacked.
#include "archive/piece_reader.hpp"

#include "archive/checksum.hpp"
#include "archive/deflate_encoder.hpp"
#include "archive/notes.hpp"
#include "archive/zip_format.hpp"
#include "parallel/ordered_work.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

/// One is read while others are unpacked; of large pieces fewer, for the memory they take.
std::size_t slot_count(std::uint16_t method, std::uint32_t piece_bytes) {
    if (core_count() == 1 || method == zip::method_stored) {
        return 1;
    }
    return piece_bytes > 2 * smallest_piece ? 2 : 3;
}

} // namespace

/// The memory of a piece, used for one after the other.
struct PieceReader::Slot {
    Bytes stored;
    Bytes content;
    std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater{
        nullptr, libdeflate_free_decompressor};
    std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> zstd{nullptr, ZSTD_freeDCtx};
    /// Whether the stored bytes made sense; it waits for the thread that unpacks.
    std::future<bool> unpacked;

    void prepare(std::uint16_t method) {
        if (method == zip::method_deflate && !inflater) {
            inflater.reset(libdeflate_alloc_decompressor());
        } else if (method == zip::method_zstd && !zstd) {
            zstd.reset(ZSTD_createDCtx());
        }
        if (method != zip::method_stored && !inflater && !zstd) {
            throw std::runtime_error("can't unpack: out of memory");
        }
    }
    bool inflate_all() {
        stored.insert(stored.end(), end_of_deflate.begin(), end_of_deflate.end());
        std::size_t used = 0;
        std::size_t made = 0;
        auto const status = libdeflate_deflate_decompress_ex(inflater.get(), stored.data(), stored.size(),
                                                             content.data(), content.size(), &used, &made);
        return status == LIBDEFLATE_SUCCESS && used == stored.size() && made == content.size();
    }
    bool unpack() {
        if (inflater) {
            return inflate_all();
        }
        if (zstd) {
            return ZSTD_decompressDCtx(zstd.get(), content.data(), content.size(), stored.data(),
                                       stored.size()) == content.size();
        }
        bool const fits = stored.size() == content.size();
        std::swap(stored, content);
        return fits;
    }
};

PieceReader::PieceReader(std::uint16_t method, Checkpoints checkpoints, std::uint64_t content_bytes,
                         Archive archive)
    : m_method(method)
    , m_checkpoints(std::move(checkpoints))
    , m_content_bytes(content_bytes)
    , m_archive(std::move(archive)) {
    auto const slots = std::min(slot_count(method, m_checkpoints.piece_bytes), m_checkpoints.pieces.size());
    for (std::size_t i = 0; i < slots; ++i) {
        m_slots.push_back(std::make_unique<Slot>());
        m_slots.back()->prepare(method);
    }
}

PieceReader::~PieceReader() = default;

std::size_t PieceReader::content_bytes_of(std::size_t piece) const {
    auto const begin = std::uint64_t{piece} * m_checkpoints.piece_bytes;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(m_checkpoints.piece_bytes, m_content_bytes - begin));
}

Result<> PieceReader::fetch(Bytes& stored) {
    auto const& piece = m_checkpoints.pieces[m_fetched];
    stored.resize(piece.stored_bytes);
    TRY_OK(m_archive.take(stored));
    if (crc32_of(stored) != piece.crc) {
        return m_archive.damaged_there();
    }
    m_archive.on_checked();
    return {};
}

Result<> PieceReader::read_ahead() {
    while (m_fetched < m_checkpoints.pieces.size() && m_fetched < m_current + m_slots.size()) {
        auto& slot = *m_slots[m_fetched % m_slots.size()];
        TRY_OK(fetch(slot.stored));
        slot.content.resize(content_bytes_of(m_fetched));
        bool const is_alone = m_slots.size() == 1;
        // Where no thread can be had, it is unpacked when it is needed.
        slot.unpacked =
            std::async(is_alone ? std::launch::deferred : std::launch::async | std::launch::deferred,
                       [&slot] { return slot.unpack(); });
        ++m_fetched;
    }
    return {};
}

Result<std::size_t> PieceReader::read(MutableBytesView into) {
    if (m_current < m_checkpoints.pieces.size() && m_read == content_bytes_of(m_current)) {
        ++m_current;
        m_read = 0;
    }
    if (m_current == m_checkpoints.pieces.size()) {
        TRY_OK(read_end());
        return std::size_t{0};
    }
    if (m_read == 0) {
        TRY_OK(read_ahead());
    }
    auto& slot = *m_slots[m_current % m_slots.size()];
    if (slot.unpacked.valid() && !slot.unpacked.get()) {
        return m_archive.damaged("its compressed data makes no sense");
    }
    auto const count = std::min(into.size(), slot.content.size() - m_read);
    std::copy_n(slot.content.begin() + static_cast<std::ptrdiff_t>(m_read), count, into.begin());
    m_read += count;
    return count;
}

Result<> PieceReader::skip_rest() {
    Bytes stored;
    for (; m_fetched < m_checkpoints.pieces.size(); ++m_fetched) {
        TRY_OK(fetch(stored));
    }
    return read_end();
}

Result<> PieceReader::read_end() {
    if (m_ended || m_method != zip::method_deflate) {
        return {};
    }
    m_ended = true;
    auto end = end_of_deflate;
    TRY_OK(m_archive.take(end));
    return end == end_of_deflate ? Result<>{} : m_archive.damaged_there();
}

} // namespace sinew::firmware
