/// Applies a patch of our own form (delta/segment_patch.hpp).
///
/// Memory is bounded by a segment, its packed form, and a window. Invariant: a segment is passed on only
/// after the checksum of its frame agreed. Threading: belongs to one thread.
#pragma once

#include "delta/segment_patch.hpp"
#include "delta/source.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sinew::firmware {

class SegmentDecoder final : public InputStream {
public:
    /// Borrows both.
    SegmentDecoder(InputStream& patch, DeltaSource& source);
    ~SegmentDecoder() override;
    /// The patched bytes; 0 at the end of the patch. Errors: corrupt: the patch is damaged, or is for
    /// something else.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override;
    /// How many bytes a patch makes: reads it to its end without unpacking it. Error corrupt.
    [[nodiscard]] static Result<std::uint64_t> measure(InputStream& patch);

private:
    struct Unpacker;
    [[nodiscard]] Result<> read_exactly(MutableBytesView into);
    [[nodiscard]] Result<> read_header();
    [[nodiscard]] Result<> read_segment();
    /// Reads the next segment, packed, and its window; returns its size unpacked.
    [[nodiscard]] Result<std::size_t> read_packed();
    [[nodiscard]] Result<> read_end();
    [[nodiscard]] Result<> read_window(std::uint32_t piece_count);

    InputStream& m_patch;
    DeltaSource& m_source;
    std::unique_ptr<Unpacker> m_unpacker;
    segment_patch::Header m_header;
    bool m_has_header = false;
    std::uint64_t m_target_left = 0;
    Bytes m_window;
    Bytes m_packed;
    Bytes m_segment;
    std::size_t m_passed_on = 0;
};

} // namespace sinew::firmware
