/// A noted stack in words, for reports.
///
/// Threading: any. Not for signal handlers.
#pragma once

#include <span>
#include <string>

namespace sinew::detail {

/// A line a frame, each after a line's end.
[[nodiscard]] std::string stack_text(std::span<void* const> stack);

} // namespace sinew::detail
