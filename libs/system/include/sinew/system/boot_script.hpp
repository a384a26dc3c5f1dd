/// The bootloader's scripts, and the boot state they read.
///
/// Three blocks on the disk decide what GRUB starts. The state (and its copy) is written by Linux only and
/// names the validated slot and the slot on trial; the counters are written by both: tried=0 by an update as
/// its very last step, tried=1 by GRUB before it starts the trial. So a slot is started untested exactly once,
/// and only after an update was complete. Every other start is counted there, too; see
/// <sinew/device/boot_counters.hpp>.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <optional>
#include <string>

namespace sinew::system {

/// The state block for `slot` and, if there is one, the slot on trial: exactly 512 bytes, a GRUB environment
/// block.
[[nodiscard]] std::string boot_state_block(Slot slot, std::optional<Slot> trial);

/// The archive that makes the counters' block (device::format_boot_counters()) writable for GRUB: four blocks,
/// the block itself being the second. On a new disk slot a is the good one.
[[nodiscard]] Bytes tried_archive();

/// What the counters' block holds on a new disk, and at the end of an update of slot `to`.
[[nodiscard]] device::BootCounters counters_of_new_disk();
[[nodiscard]] device::BootCounters counters_after_update(Slot to);

/// The script inside GRUB's core image: chooses the slot and starts it, or the other one if that can't be
/// loaded.
[[nodiscard]] std::string grub_core_script(Description const& description, Layout const& layout);

/// grub.cfg on a slot's boot partition: loads kernel and initramfs with the kernel command line.
/// It uses the variable `sinew_arguments`, which the core script sets.
[[nodiscard]] std::string grub_slot_script(Description const& description);

/// The kernel command line, without the `sinew.` arguments that the bootloader adds.
[[nodiscard]] std::string kernel_command_line(Description const& description);

} // namespace sinew::system
