/// Attention: what a process that needed a closer look does next.
///
/// Threading: a value.
#pragma once

#include <cstdint>

namespace sinew::detail {

enum class Attention : std::uint8_t {
    go_on,
    wait,
    ended,
    /// A message was dealt with; look again.
    again
};

} // namespace sinew::detail
