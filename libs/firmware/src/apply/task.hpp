/// Chooses the task to apply.
///
/// Threading: a free function, for one thread at a time.
#pragma once

#include "functions/conditions.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace sinew::firmware {

/// Told in a sentence of each condition that wasn't met, or couldn't be checked.
using ExplainCondition = std::function<void(std::string const&)>;

/// The first task in the order of the file whose name starts with `wanted` and whose conditions are all met.
/// `explain` may be empty. Error not_found: names what couldn't be read, or else the tasks that were
/// considered, or those there are.
[[nodiscard]] Result<Section const*> choose_task(Section const& config, std::string_view wanted,
                                                 Surroundings const& surroundings,
                                                 ExplainCondition const& explain);

} // namespace sinew::firmware
