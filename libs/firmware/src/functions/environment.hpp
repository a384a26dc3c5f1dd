/// The sections that the uboot_... functions name.
///
/// Threading: a free function.
#pragma once

#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <string_view>

namespace sinew::firmware {

/// The layout of environment `name`. Error invalid_argument: no such section, or impossible numbers.
[[nodiscard]] Result<EnvironmentLayout> environment_layout(Section const& config, std::string_view name);

} // namespace sinew::firmware
