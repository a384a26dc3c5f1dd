/// Any bytes as framed input: what comes out is what the frames hold, never more.
#include "console.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>

namespace {

using sinew::Bytes;
using sinew::BytesView;

/// The content of the frames, taken apart in the simplest way.
Bytes content_of(BytesView framed) {
    Bytes content;
    while (framed.size() >= 4) {
        auto const length = sinew::load_be32(framed, 0);
        if (length == 0) {
            break;
        }
        framed = framed.subspan(4);
        auto const piece = framed.first(std::min<std::size_t>(length, framed.size()));
        content.insert(content.end(), piece.begin(), piece.end());
        framed = framed.subspan(piece.size());
    }
    return content;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const framed = std::as_bytes(std::span(data, size));
    sinew::FileDescriptor file(::memfd_create("framed", MFD_CLOEXEC));
    if (!file || !sinew::write_all_at(file, framed, 0)) {
        return 0;
    }
    sinew::fwup::FramedInput input(std::move(file));
    Bytes content;
    Bytes buffer(97);
    while (true) {
        auto const count = input.read(buffer);
        if (!count || *count == 0) {
            break;
        }
        content.insert(content.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*count));
    }
    if (content != content_of(framed)) {
        std::abort();
    }
    return 0;
}
