/// Any bytes through our deflate: zlib must get them out again. The first byte chooses the level.
#include "archive/deflate_encoder.hpp"
#include "archive/stream_inflater.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    if (size == 0) {
        return 0;
    }
    auto const content = std::as_bytes(std::span(data, size)).subspan(1);
    auto stream = DeflateEncoder(1 + data[0] % 9).encode(content);
    stream.insert(stream.end(), end_of_deflate.begin(), end_of_deflate.end());
    Bytes out(content.size() + 1);
    StreamInflater inflater;
    auto const progress = inflater.inflate_some(stream, out);
    if (!progress || !inflater.has_ended() || progress->used != stream.size() ||
        !std::ranges::equal(BytesView(out).first(progress->made), content)) {
        std::abort();
    }
    return 0;
}
