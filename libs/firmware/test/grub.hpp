/// GRUB in QEMU, as a reader of disks: a bootloader that others wrote, on a BIOS.
///
/// Threading: one thread.
#pragma once

#include <sinew/base/bytes.hpp>

#include <string>
#include <vector>

namespace sinew::firmware::test {

/// A disk, and GRUB's commands for it, in which it is `@`: "ls -l (@,gpt1)".
struct GrubDisk {
    Bytes content;
    std::vector<std::string> commands;
};

/// Boots GRUB once, with all disks (16 at most), and returns what it printed for each, on one line. Throws,
/// and so fails the test, if it doesn't come to its end.
[[nodiscard]] std::vector<std::string> ask_grub(std::vector<GrubDisk> const& disks);

} // namespace sinew::firmware::test
