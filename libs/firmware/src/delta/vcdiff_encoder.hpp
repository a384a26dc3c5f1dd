/// Makes VCDIFF patches (RFC 3284 with the Adler-32 extension) that an original fwup applies.
///
/// Threading: a free function.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <functional>

namespace sinew::firmware {

/// The patch that makes `target` from `source`; not compressed. `on_bytes` is told of the bytes of the target
/// that are done. Error invalid_argument: the source is 4 GiB or more.
[[nodiscard]] Result<Bytes> encode_vcdiff(BytesView source, BytesView target,
                                          std::function<void(std::uint64_t)> const& on_bytes = {});

} // namespace sinew::firmware
