/// The bootloader's scripts, and the boot state they read.
///
/// Three blocks on the disk decide what GRUB starts. The state (and its copy) is written by Linux only and
/// names the validated slot and the slot on trial; "tried" is written by both: 0 by an update as its very
/// last step, 1 by GRUB before it starts the trial. So a slot is started untested exactly once, and only
/// after an update was complete.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <optional>
#include <string>

namespace sinew::system {

/// The state block for `slot` and, if there is one, the slot on trial: exactly 512 bytes, a GRUB environment
/// block.
[[nodiscard]] std::string boot_state_block(Slot slot, std::optional<Slot> trial);

enum class Tried : char { no = '0', yes = '1' };
/// The block that remembers whether the trial was started: exactly 512 bytes.
[[nodiscard]] std::string tried_block(Tried tried);

/// The archive that makes the tried block writable for GRUB: four blocks, the block itself being the second.
[[nodiscard]] Bytes tried_archive(Tried tried);

/// The script inside GRUB's core image: chooses the slot and starts it, or the other one if that can't be
/// loaded.
[[nodiscard]] std::string grub_core_script(Description const& description, Layout const& layout);

/// grub.cfg on a slot's boot partition: loads kernel and initramfs with the kernel command line.
/// It uses the variable `sinew_arguments`, which the core script sets.
[[nodiscard]] std::string grub_slot_script(Description const& description);

/// The kernel command line, without the `sinew.` arguments that the bootloader adds.
[[nodiscard]] std::string kernel_command_line(Description const& description);

} // namespace sinew::system
