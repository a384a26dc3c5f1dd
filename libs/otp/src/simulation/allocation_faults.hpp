/// The way to the operator new that sinew::otp_testing brings along.
///
/// Threading: set before main(); each thread has a count of its own.
#pragma once

#include <cstddef>

namespace sinew::detail {

/// From now on the `countdown`-th operator new of this thread throws, once; 0: none does. Null in programs
/// without sinew::otp_testing.
extern void (*arm_allocation_failure)(std::size_t countdown) noexcept;

} // namespace sinew::detail
