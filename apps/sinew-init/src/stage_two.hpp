/// PID 1 in the root file system: prepares the machine, then runs and outlives the command.
///
/// Threading: one thread.
#pragma once

#include "machine.hpp"

#include <filesystem>

namespace sinew::init {

/// Where PID 1 keeps what outlives a run, below the data partition.
struct StatePaths {
    std::filesystem::path folder;
    [[nodiscard]] std::filesystem::path seed() const { return folder / "seed"; }
    [[nodiscard]] std::filesystem::path time() const { return folder / "time"; }
    [[nodiscard]] std::filesystem::path end() const { return folder / "end"; }
};

[[nodiscard]] StatePaths state_paths(device::InitConfig const& config);

/// Never returns: ends in reboot(2).
[[noreturn]] void run_stage_two(Machine& machine);

} // namespace sinew::init
