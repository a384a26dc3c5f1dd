/// Finds the row of a function or a condition, and checks calls against it.
///
/// Invariant: what has no row can't be run. Threading: free functions.
#pragma once

#include "functions/arguments.hpp"
#include "functions/conditions.hpp"
#include "functions/function.hpp"

#include <sinew/base/result.hpp>

#include <string_view>

namespace sinew::firmware {

/// nullptr if there is none of this name.
[[nodiscard]] Function const* find_function(std::string_view name);
[[nodiscard]] Condition const* find_condition(std::string_view name);

/// Checks place, number of arguments and arguments of one call; `function` is the row of words[0], and
/// `section` the name of the section that it stands in, e.g. "on-init".
/// Error invalid_argument: says what is wrong, without a position.
[[nodiscard]] Result<> check_function(Function const* function, Words words, std::string_view section,
                                      Deferred deferred);
/// The same for a condition.
[[nodiscard]] Result<> check_condition(Condition const* condition, Words words, Deferred deferred);

} // namespace sinew::firmware
