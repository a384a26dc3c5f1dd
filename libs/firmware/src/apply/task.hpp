/// Chooses the task to apply, and evaluates the conditions of tasks.
///
/// Invariant: evaluating conditions only reads the disk; what can't be read or makes no sense means "not
/// met". Threading: free functions, for one thread at a time.
#pragma once

#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <string_view>

namespace sinew::firmware {

/// What conditions ask.
struct Surroundings {
    BlockDevice& disk;
    RunningSystem const& system;
    /// Unless allowed, require-execute() isn't met.
    Unsafe unsafe = Unsafe::refused;
};

/// The first task in the order of the file whose name starts with `wanted` and whose conditions are all met.
/// Error not_found: names the tasks that were considered, or those there are.
[[nodiscard]] Result<Section const*> choose_task(Section const& config, std::string_view wanted,
                                                 Surroundings const& surroundings);

/// The layout of environment `name`. Error invalid_argument: no such section, or impossible numbers.
[[nodiscard]] Result<EnvironmentLayout> environment_layout(Section const& config, std::string_view name);

} // namespace sinew::firmware
