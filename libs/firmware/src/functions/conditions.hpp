/// The conditions of tasks, a row each.
///
/// Invariant: evaluating one only reads the disk; what can't be read or makes no sense means "not met".
/// Threading: constants; evaluating is for one thread at a time.
#pragma once

#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"

#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>

#include <cstdint>
#include <span>

namespace sinew::firmware {

/// What conditions ask.
struct Surroundings {
    BlockDevice& disk;
    RunningSystem const& system;
    /// Unless allowed, require-execute() isn't met.
    Unsafe unsafe = Unsafe::refused;
};

struct Condition {
    Form form;
    /// `words` were checked with Deferred::refused.
    bool (*is_met)(Section const& config, Words words, Surroundings const& surroundings) = nullptr;
};

[[nodiscard]] std::span<Condition const> conditions();

/// Whether the primary partition of this number, 0 to 3, begins at `block`, whatever its type.
[[nodiscard]] bool primary_begins_at(BlockDevice& disk, std::uint64_t number, std::uint64_t block);

} // namespace sinew::firmware
