/// Brings up the network's loopback interface, which many programs take for granted.
///
/// Threading: one thread.
#pragma once

#include <sinew/base/result.hpp>

namespace sinew::init {

/// Error: the kernel has no network.
[[nodiscard]] Result<> bring_up_loopback();

} // namespace sinew::init
