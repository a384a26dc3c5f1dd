/// zlib's inflate for content that comes bit by bit (archives of the original, which has no pieces), and for
/// finding out where blocks end.
///
/// Threading: an object belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>

#include <zlib.h>

#include <cstddef>
#include <optional>
#include <stdexcept>

namespace sinew::firmware {

class StreamInflater {
public:
    struct Progress {
        std::size_t used = 0;
        std::size_t made = 0;
    };
    StreamInflater() {
        if (inflateInit2(&m_stream, -MAX_WBITS) != Z_OK) {
            throw std::runtime_error("zlib can't start: out of memory");
        }
    }
    StreamInflater(StreamInflater const&) = delete;
    StreamInflater& operator=(StreamInflater const&) = delete;
    ~StreamInflater() { inflateEnd(&m_stream); }

    /// Begins anew.
    void restart() {
        inflateReset(&m_stream);
        m_ended = false;
    }
    /// The last block has ended.
    [[nodiscard]] bool has_ended() const noexcept { return m_ended; }
    /// Inflates as much as both sides allow (less than 4 GiB). Nothing: the data makes no sense.
    [[nodiscard]] std::optional<Progress> inflate_some(BytesView from, MutableBytesView into) {
        return inflate_until(Z_NO_FLUSH, from, into);
    }
    /// Inflates one block, which both sides must have room for. Nothing: they haven't, or it makes no sense.
    [[nodiscard]] std::optional<Progress> inflate_block(BytesView from, MutableBytesView into) {
        auto const progress = inflate_until(Z_BLOCK, from, into);
        return (state() & at_block_end) != 0 ? progress : std::nullopt;
    }
    /// How many bits of the last byte used belong to what follows the block.
    [[nodiscard]] unsigned unused_bits() const noexcept { return state() % in_last_block; }
    /// The block just inflated is marked as the last one.
    [[nodiscard]] bool was_last_block() const noexcept { return (state() & in_last_block) != 0; }

private:
    /// Bits of what zlib tells between blocks, above the count of unused bits (`data_type` in zlib.h).
    static constexpr unsigned in_last_block = 64;
    static constexpr unsigned at_block_end = 128;

    [[nodiscard]] unsigned state() const noexcept { return static_cast<unsigned>(m_stream.data_type); }
    [[nodiscard]] std::optional<Progress> inflate_until(int flush, BytesView from, MutableBytesView into) {
        m_stream.next_in = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(from.data()));
        m_stream.avail_in = static_cast<unsigned>(from.size());
        m_stream.next_out = reinterpret_cast<unsigned char*>(into.data());
        m_stream.avail_out = static_cast<unsigned>(into.size());
        auto const status = inflate(&m_stream, flush);
        m_ended = status == Z_STREAM_END;
        if (!m_ended && status != Z_OK && status != Z_BUF_ERROR) {
            return std::nullopt;
        }
        return Progress{from.size() - m_stream.avail_in, into.size() - m_stream.avail_out};
    }

    z_stream m_stream{};
    bool m_ended = false;
};

} // namespace sinew::firmware
