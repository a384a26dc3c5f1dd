/// The OS image profile that Intel's Medfield and Merrifield boot ROMs look for in the boot code of an MBR.
///
/// Threading: free functions.
#pragma once

#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

namespace sinew::firmware {

/// What an `mbr` section with include-osip = true has at the beginning of its boot code; at most 416 bytes.
/// Error invalid_argument: says what is wrong, without a position.
[[nodiscard]] Result<Bytes> encode_osip(Section const& mbr);

} // namespace sinew::firmware
