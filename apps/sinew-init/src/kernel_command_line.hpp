/// What the bootloader told PID 1: the words of /proc/cmdline.
///
/// Invariant: any text parses; what isn't understood is left alone, a bad value counts as missing.
/// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace sinew::init {

struct KernelCommandLine {
    /// sinew.slot: "a" or "b"; empty when missing or anything else.
    std::string slot;
    /// sinew.trial=1: the slot is on trial.
    bool trial = false;
    /// sinew.rolled_back=1: the bootloader returned from a slot that was never validated.
    bool rolled_back = false;
    /// sinew.starts, sinew.runs: what the bootloader has counted, this start included; 0: it doesn't count.
    int starts = 0;
    int runs = 0;
    /// sinew.serial: the device's serial number, if the bootloader knows it.
    std::string serial_number;
    friend bool operator==(KernelCommandLine const&, KernelCommandLine const&) = default;
};

/// Words are separated by blanks; a part in double quotes may hold blanks. Where a key repeats, the last
/// wins.
[[nodiscard]] KernelCommandLine parse_kernel_command_line(std::string_view text);

/// The parameters for a loadable module: every word "MODULE.NAME=VALUE" as "NAME=VALUE", separated by blanks,
/// in the form finit_module(2) takes. The kernel applies these only to what is built in; for the others it is
/// PID 1's work.
/// '-' and '_' in the module's name are the same.
[[nodiscard]] std::string module_parameters(std::string_view text, std::string_view module);

} // namespace sinew::init
