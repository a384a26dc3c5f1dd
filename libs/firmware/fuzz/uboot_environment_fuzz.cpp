/// Any bytes as an environment; its checksum is mended so that the parser behind it is reached.
#include <sinew/base/bytes.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    auto const input = std::as_bytes(std::span(data, size));
    Bytes bytes(input.begin(), input.end());
    (void)decode_environment(bytes, EnvironmentFlag::present);
    constexpr std::size_t header = 4;
    if (bytes.size() <= header) {
        return 0;
    }
    auto const crc = crc32_z(0, data + header, size - header);
    store_le32(bytes, 0, static_cast<std::uint32_t>(crc));
    auto const decoded = decode_environment(bytes, EnvironmentFlag::absent);
    if (decoded) {
        auto const encoded = encode_environment(decoded->variables, bytes.size() + 16, std::nullopt);
        if (!encoded ||
            decode_environment(*encoded, EnvironmentFlag::absent)->variables != decoded->variables) {
            std::abort();
        }
    }
    return 0;
}
