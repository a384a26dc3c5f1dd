/// Everything about a task that can be checked before the first write.
///
/// Invariant: these checks only read. Threading: free functions, for one thread at a time.
#pragma once

#include "apply/plan.hpp"
#include "archive/resource_stream.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sinew::firmware {

/// A range of the disk that must not be written.
struct ProtectedBlocks {
    std::uint64_t first_block = 0;
    std::uint64_t block_count = 0;
    std::string why;
};

/// The range of `disk` that the running "/" is mounted from, if any.
[[nodiscard]] std::optional<ProtectedBlocks> running_root(BlockDevice const& disk,
                                                          RunningSystem const& system);

struct Preflight {
    Section const& config;
    Section const& task;
    std::span<ResourceSpec const> resources;
    BlockDevice& disk;
    RunningSystem const& system;
    std::optional<ProtectedBlocks> root;
    Unsafe unsafe = Unsafe::refused;
};

/// Reads the functions of the task, and checks them. Errors: invalid_argument: an unknown function, a wrong
/// argument, an on-resource without its file-resource; no_space: a resource is larger than its slot or UBI
/// volume, or the disk is too small; denied: something would be written into the running root, or a function
/// needs --unsafe.
[[nodiscard]] Result<Plan> check_task(Preflight const& preflight);

} // namespace sinew::firmware
