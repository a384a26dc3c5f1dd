/// Makes patches of our own form (delta/segment_patch.hpp).
///
/// Threading: free functions; they use the machine's cores.
#pragma once

#include "archive/hash.hpp"
#include "delta/segment_patch.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <functional>

namespace sinew::firmware {

struct SegmentPatchOptions {
    /// How much memory applying it takes: about twice a segment and a window.
    std::uint32_t segment_bytes = segment_patch::default_segment;
    std::uint32_t window_bytes = segment_patch::default_window;
    /// zstd's, 1..19. From 13 on it takes ten times the time for at most 9 % less (docs/performance.md).
    int compression_level = 12;
    /// Told of the bytes of the target that are done, from one thread at a time.
    std::function<void(std::uint64_t)> on_bytes;
};

/// The patch that makes `target` from `source`, whose hash is known. Error invalid_argument: the source is 4 GiB or more, or the
/// sizes are more than a reader accepts.
[[nodiscard]] Result<Bytes> encode_segments(BytesView source, Blake2b256::Digest const& source_hash,
                                            BytesView target, SegmentPatchOptions const& options = {});

} // namespace sinew::firmware
