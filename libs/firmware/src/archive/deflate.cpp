/// zlib behind Deflater. Invariant: no header or trailer, as ZIP has it. Threading: see the header.
#include "archive/deflate.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <zlib.h>

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>

namespace sinew::firmware {

struct Deflater::State {
    z_stream stream{};
    std::array<std::byte, 65536> out{};
    explicit State(int level) {
        if (deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
            throw std::runtime_error("zlib cannot start: out of memory");
        }
    }
    State(State const&) = delete;
    State& operator=(State const&) = delete;
    ~State() { deflateEnd(&stream); }
};

Deflater::Deflater(int level)
    : m_state(std::make_unique<State>(level)) {}

Deflater::~Deflater() = default;

Result<> Deflater::feed(BytesView content, Last last, Sink const& sink) {
    auto& stream = m_state->stream;
    constexpr std::size_t largest_piece = 1u << 30;
    do {
        auto const piece = content.first(std::min(content.size(), largest_piece));
        content = content.subspan(piece.size());
        stream.next_in = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(piece.data()));
        stream.avail_in = static_cast<unsigned>(piece.size());
        int const flush = last == Last::yes && content.empty() ? Z_FINISH : Z_NO_FLUSH;
        do {
            stream.next_out = reinterpret_cast<unsigned char*>(m_state->out.data());
            stream.avail_out = static_cast<unsigned>(m_state->out.size());
            deflate(&stream, flush);
            TRY_OK(sink(BytesView(m_state->out).first(m_state->out.size() - stream.avail_out)));
        } while (stream.avail_out == 0);
    } while (!content.empty());
    return {};
}

} // namespace sinew::firmware
