/// PID 1 in the initramfs: from the kernel's hands to the root file system of the chosen slot.
///
/// Threading: one thread.
#pragma once

#include "machine.hpp"

#include <sinew/base/result.hpp>

#include <string_view>

namespace sinew::init {

/// Tells stage two that Machine::has_replaced_partitions.
inline constexpr std::string_view replaced_partitions_option = "--replaced-partitions";

/// Doesn't return when it succeeds: the same program goes on as /sbin/init of the root file system. Whatever
/// error comes back, the machine can't go on; the caller reboots.
[[nodiscard]] Result<> run_stage_one(Machine& machine);

} // namespace sinew::init
