/// Chooses the task to apply.
///
/// Threading: a free function, for one thread at a time.
#pragma once

#include "functions/conditions.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>

#include <string_view>

namespace sinew::firmware {

/// The first task in the order of the file whose name starts with `wanted` and whose conditions are all met.
/// Error not_found: names the tasks that were considered, or those there are.
[[nodiscard]] Result<Section const*> choose_task(Section const& config, std::string_view wanted,
                                                 Surroundings const& surroundings);

} // namespace sinew::firmware
