/// Any bytes as a patch of our own form, and as notes beside meta.conf.
#include "archive/notes.hpp"
#include "delta/segment_decoder.hpp"
#include "delta/source.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    auto const bytes = std::as_bytes(std::span(data, size));
    MemoryInput input(bytes);
    MemorySource source(bytes);
    SegmentDecoder decoder(input, source);
    Bytes buffer(4096);
    constexpr int enough = 4096;
    for (int i = 0; i < enough; ++i) {
        auto const count = decoder.read(buffer);
        if (!count || *count == 0) {
            break;
        }
    }
    for (auto const& note : delta_notes(bytes)) {
        Bytes again;
        append_note(again, note);
        auto const read = delta_notes(again);
        if (read.size() != 1 || read.front().name != note.name ||
            read.front().source_hash != note.source_hash) {
            std::abort();
        }
    }
    return 0;
}
