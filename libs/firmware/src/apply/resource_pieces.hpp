/// A resource as a sequence of data and holes, for functions that write it in order.
///
/// Threading: free functions.
#pragma once

#include "archive/resource_stream.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <functional>

namespace sinew::firmware {

using TakeData = std::function<Result<>(BytesView)>;
using TakeHole = std::function<Result<>(std::uint64_t length_bytes)>;

/// Reads through `buffer`. Error corrupt: the resource ends too early.
[[nodiscard]] Result<> for_each_piece(ResourceStream& resource, MutableBytesView buffer, TakeData const& data,
                                      TakeHole const& hole);

/// Takes a hole as zeros.
[[nodiscard]] TakeHole zeros_to(TakeData data);

} // namespace sinew::firmware
