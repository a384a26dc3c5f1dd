/// Any bytes as what a device says of itself: an error, or a status that names a slot and a platform.
#include <sinew/tooling/upload.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const status = sinew::tooling::parse_device_status(text);
    if (status && (status->slot.empty() || status->platform.empty())) {
        std::abort();
    }
    return 0;
}
