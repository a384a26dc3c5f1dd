/// The arithmetic of define-eval(): 64-bit integers, + - * / ^ ( ) and unary minus, and size suffixes.
///
/// Invariant: no input overflows or divides by zero; it is an error instead. Threading: a free function.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace sinew::firmware {

/// The value of `text`. Numbers take C prefixes (0x, 0) and the suffixes c=1, w=2, b=512, kB=1000, K=1024,
/// MB, M, GB, G. Error invalid_argument: says what is wrong and at which character (from 1).
[[nodiscard]] Result<std::int64_t> evaluate_expression(std::string_view text);

} // namespace sinew::firmware
