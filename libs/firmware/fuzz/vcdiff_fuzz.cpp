/// Any bytes as a VCDIFF patch; and whatever bytes, their patch gives them back.
#include "delta/source.hpp"
#include "delta/vcdiff_decoder.hpp"
#include "delta/vcdiff_encoder.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace sinew;
using namespace sinew::firmware;

Result<Bytes> decode(BytesView patch, BytesView source) {
    constexpr std::size_t enough = 1u << 20;
    MemoryInput input(patch);
    MemorySource memory(source);
    VcdiffDecoder decoder(input, memory);
    Bytes result;
    Bytes buffer(4096);
    while (result.size() < enough) {
        TRY(auto const count, decoder.read(buffer));
        if (count == 0) {
            break;
        }
        result.insert(result.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    auto const half = bytes.first(size / 2);
    auto const other_half = bytes.subspan(size / 2);
    (void)decode(bytes, half);
    auto const patch = encode_vcdiff(half, other_half);
    auto const made = decode(*patch, half);
    if (!made || !std::ranges::equal(*made, other_half)) {
        std::abort();
    }
    return 0;
}
