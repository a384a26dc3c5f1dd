/// Feeds what apt might say to the reader of its --print-uris lines.
#include "apt.hpp"

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = sinew::as_text(std::as_bytes(std::span(data, size)));
    (void)sinew::system::parse_uri_line(text);
    (void)sinew::system::host_sources(text, "bookworm");
    return 0;
}
