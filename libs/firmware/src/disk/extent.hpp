/// A run of bytes on a disk.
///
/// Threading: a value.
#pragma once

#include <cstdint>

namespace sinew::firmware {

struct DiskExtent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

} // namespace sinew::firmware
