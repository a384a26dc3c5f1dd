/// The conditions of tasks, a row each.
///
/// Invariant: evaluating one only reads the disk; what can't be read or makes no sense isn't met.
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
#include <string>

namespace sinew::firmware {

/// What conditions ask.
struct Surroundings {
    BlockDevice& disk;
    RunningSystem const& system;
    /// Unless allowed, require-execute() isn't met.
    Unsafe unsafe = Unsafe::refused;
};

/// What came of a condition.
struct Finding {
    enum class Kind : std::uint8_t { met, not_met, unreadable };
    Kind kind = Kind::not_met;
    /// What was found instead, or why nothing could be: for people.
    std::string why{};
};

struct Condition {
    Form form;
    /// `words` were checked with Deferred::refused.
    Finding (*find)(Section const& config, Words words, Surroundings const& surroundings) = nullptr;
    /// Asking runs a command.
    bool runs_commands = false;
};

[[nodiscard]] std::span<Condition const> conditions();

/// Whether the primary partition of this number, 0 to 3, begins at `block`, whatever its type.
[[nodiscard]] Finding find_primary_at(BlockDevice& disk, std::uint64_t number, std::uint64_t block);

} // namespace sinew::firmware
