/// zlib's inflate for content that comes bit by bit: archives of the original, which has no pieces.
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
            throw std::runtime_error("zlib cannot start: out of memory");
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
        m_stream.next_in = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(from.data()));
        m_stream.avail_in = static_cast<unsigned>(from.size());
        m_stream.next_out = reinterpret_cast<unsigned char*>(into.data());
        m_stream.avail_out = static_cast<unsigned>(into.size());
        auto const status = inflate(&m_stream, Z_NO_FLUSH);
        m_ended = status == Z_STREAM_END;
        if (!m_ended && status != Z_OK && status != Z_BUF_ERROR) {
            return std::nullopt;
        }
        return Progress{from.size() - m_stream.avail_in, into.size() - m_stream.avail_out};
    }

private:
    z_stream m_stream{};
    bool m_ended = false;
};

} // namespace sinew::firmware
