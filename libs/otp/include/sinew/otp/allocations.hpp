/// How many pieces of memory a test program holds: a test of something that runs for days compares it.
///
/// Needs sinew::otp_testing, whose operator new counts. Threading: any thread.
#pragma once

#include <cstdint>

namespace sinew::testing {

/// Pieces made by operator new and not yet deleted, in the whole program.
[[nodiscard]] std::int64_t live_allocations() noexcept;

} // namespace sinew::testing
