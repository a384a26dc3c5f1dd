/// CRC-32 as ZIP has it.
///
/// Threading: a free function.
#pragma once

#include <sinew/base/bytes.hpp>

#include <libdeflate.h>

#include <cstdint>

namespace sinew::firmware {

/// Of `bytes`, going on from the sum of what came before them.
[[nodiscard]] inline std::uint32_t crc32_of(BytesView bytes, std::uint32_t before = 0) {
    // To libdeflate a null pointer means "start anew".
    return bytes.empty() ? before : libdeflate_crc32(before, bytes.data(), bytes.size());
}

} // namespace sinew::firmware
