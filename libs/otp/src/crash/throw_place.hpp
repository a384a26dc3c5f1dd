/// Where an exception was thrown, for crash reports.
///
/// Invariant: a throw costs some nanoseconds more, and from within a library a short walk up its stack. Builds
/// with sanitizers, which watch throws themselves, and programs with a static C++ library know no places.
/// Threading: of the calling thread's last throw.
#pragma once

#include <cstdint>
#include <exception>

namespace sinew::crash {

/// The call of `throw`, or what called the library that threw; 0: not known.
[[nodiscard]] std::uintptr_t place_of_throw(std::exception_ptr const& exception) noexcept;

} // namespace sinew::crash
