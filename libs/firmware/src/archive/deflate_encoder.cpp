/// Lets libdeflate compress, and takes the mark of the end away.
#include "archive/deflate_encoder.hpp"

#include <sinew/base/bytes.hpp>

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

namespace sinew::firmware {

namespace {

/// To which of libdeflate's levels, 1 to 12, each of ours leads. Its level 9 made nothing smaller, and 10 and more take
/// longer than zlib's 9 for less than 1 %.
int library_level(int level) {
    constexpr std::array levels{1, 1, 2, 3, 4, 5, 6, 7, 8, 8};
    return levels[static_cast<std::size_t>(std::clamp(level, 1, 9))];
}

Bytes compress(libdeflate_compressor& compressor, BytesView content) {
    Bytes stream(libdeflate_deflate_compress_bound(&compressor, content.size()));
    stream.resize(libdeflate_deflate_compress(&compressor, content.data(), content.size(), stream.data(),
                                              stream.size()));
    return stream;
}

} // namespace

DeflateEncoder::Compressor DeflateEncoder::make_compressor(int level) {
    Compressor compressor(libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    if (!compressor) {
        throw std::runtime_error("libdeflate can't start: out of memory");
    }
    return compressor;
}

DeflateEncoder::DeflateEncoder(int level)
    : m_good(make_compressor(library_level(level)))
    , m_fast(make_compressor(1))
    , m_plain(make_compressor(0)) {}

Bytes DeflateEncoder::encode(BytesView content) {
    if (content.empty()) {
        return {};
    }
    auto stream = compress(is_noise(content) ? *m_plain : *m_good, content);
    make_joinable(stream, content);
    return stream;
}

/// Tries a part of a large piece: what is compressed or encrypted already isn't worth the time.
bool DeflateEncoder::is_noise(BytesView content) {
    constexpr std::size_t sample = 1024;
    constexpr std::size_t samples = 37; // A prime, so that they lie differently on pages.
    if (content.size() < 4 * samples * sample) {
        return false;
    }
    m_sample.clear();
    for (std::size_t i = 0; i < samples; ++i) {
        auto const part = content.subspan(i * (content.size() / samples), sample);
        m_sample.insert(m_sample.end(), part.begin(), part.end());
    }
    return compress(*m_fast, m_sample).size() > m_sample.size() - m_sample.size() / 64;
}

/// libdeflate marks its last block as the end of the stream, in the first bit of the block's head. Blocks
/// end anywhere in a byte, so only inflating finds it; which is used to see that the content comes out again.
void DeflateEncoder::make_joinable(Bytes& stream, BytesView content) {
    m_inflater.restart();
    m_inflated.resize(content.size());
    std::size_t used = 0;
    std::size_t made = 0;
    std::size_t head = 0; // of a block, and its end, in bits
    std::size_t end = 0;
    do {
        auto const block = m_inflater.inflate_block(BytesView(stream).subspan(used),
                                                    MutableBytesView(m_inflated).subspan(made));
        if (!block) {
            throw std::logic_error("libdeflate made a stream that zlib can't inflate");
        }
        used += block->used;
        made += block->made;
        head = end;
        end = used * 8 - m_inflater.unused_bits();
    } while (!m_inflater.was_last_block());
    if (used != stream.size() || !std::ranges::equal(m_inflated, content)) {
        throw std::logic_error("zlib does not get out what libdeflate put in");
    }
    stream[head / 8] &= ~(std::byte{1} << (head % 8));
    auto const free_bits = stream.size() * 8 - end;
    if (free_bits > 0) {
        // An empty stored block: three bits of zero, on to the end of a byte, and its lengths.
        constexpr std::array lengths{std::byte{0x00}, std::byte{0x00}, std::byte{0xFF}, std::byte{0xFF}};
        stream.back() &= std::byte{0xFF} >> free_bits;
        stream.resize(stream.size() + (free_bits < 3 ? 1 : 0));
        stream.insert(stream.end(), lengths.begin(), lengths.end());
    }
}

} // namespace sinew::firmware
