/// Packs the content of an entry in pieces, on all cores.
///
/// Invariant: what comes out depends only on the content, its announced size, method and level, not on the
/// number of cores. Threading: belongs to one thread.
#pragma once

#include "archive/notes.hpp"
#include "archive/zip_writer.hpp"
#include "parallel/idle_pool.hpp"
#include "parallel/ordered_work.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace sinew::firmware {

struct PieceOptions {
    /// zip::method_stored, method_deflate or method_zstd.
    std::uint16_t method = 0;
    /// 1 (fast) .. 9 (small).
    int level = 5;
    /// How much content will come, for the size of pieces; it needn't be exact.
    std::uint64_t content_bytes = 0;
    /// How many cores to use; 0: all there are.
    unsigned cores = 0;
};

class PiecePacker {
public:
    /// `sink` gets what is to be stored, in order.
    PiecePacker(PieceOptions const& options, std::function<Result<>(BytesView)> sink);
    PiecePacker(PiecePacker const&) = delete;
    PiecePacker& operator=(PiecePacker const&) = delete;
    ~PiecePacker();

    /// Takes more content. Error: what `sink` returned.
    [[nodiscard]] Result<> feed(BytesView content);
    /// Once, at the end.
    [[nodiscard]] Result<> finish();
    /// How the entry is stored: as it was asked for, but where zstd would have nothing to store, as it is.
    [[nodiscard]] std::uint16_t method() const noexcept;
    /// After finish().
    [[nodiscard]] ZipWriter::EntrySums const& sums() const noexcept { return m_sums; }
    /// The notes that belong to the entry; none of content that is empty or too large. After finish().
    [[nodiscard]] Bytes notes() const;

private:
    struct Packed {
        Bytes stored;
        std::uint32_t crc = 0;
    };
    class Coder;
    Result<> put(BytesView bytes);
    Result<> take(Packed const& packed);
    Result<> send_piece();

    PieceOptions m_options;
    std::function<Result<>(BytesView)> m_sink;
    ZipWriter::EntrySums m_sums;
    Checkpoints m_checkpoints;
    Bytes m_piece;
    IdlePool<Coder> m_coders;
    OrderedWork<Packed> m_work;
};

/// Adds a whole entry from memory, in pieces and with notes. `header.method` says how.
[[nodiscard]] Result<> add_in_pieces(ZipWriter& writer, ZipWriter::EntryHeader header, BytesView content,
                                     int level);

} // namespace sinew::firmware
