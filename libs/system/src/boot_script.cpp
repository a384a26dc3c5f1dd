/// GRUB's scripts and the boot state blocks.
///
/// Invariant: whatever single block of the boot state is torn or lost, the script starts a slot that was once
/// validated.
#include <sinew/base/bytes.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <fmt/format.h>

#include <cassert>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::system {

namespace {

/// A GRUB environment block that fills one disk block.
std::string environment_block(std::string_view lines) {
    std::string block = "# GRUB Environment Block\n";
    block += lines;
    assert(block.size() < block_size_bytes);
    block.resize(block_size_bytes, '#');
    return block;
}

/// "ttyS0,115200" -> the GRUB commands that use the same serial port, or nothing.
std::string serial_commands(Description const& description) {
    constexpr std::string_view prefix = "ttyS";
    for (auto const& console : description.kernel.consoles) {
        if (!console.starts_with(prefix)) {
            continue;
        }
        auto const comma = console.find(',');
        auto const unit = console.substr(prefix.size(), comma - prefix.size());
        auto const rest = comma == std::string::npos ? "115200" : console.substr(comma + 1);
        auto const speed = rest.substr(0, rest.find_first_not_of("0123456789"));
        return fmt::format("if serial --unit={} --speed={}; then\n    terminal_output console serial\nfi\n",
                           unit, speed);
    }
    return "";
}

/// Reads the state, the copy if the state isn't whole, and falls back to slot a.
constexpr std::string_view choose_template = R"GRUB(
set whole=no
load_env --file (hd0){state}+1 slot try whole
if [ "$whole" != yes ]; then
    echo "Sinew: boot state unreadable, using its copy"
    set slot=
    set try=
    load_env --file (hd0){copy}+1 slot try whole
fi
if [ "$whole" != yes ]; then
    echo "Sinew: no boot state, starting slot a"
    set slot=a
    set try=
fi

# A trial starts only if GRUB could write down, and read back, that it was started.
set chosen="$slot"
set arguments="sinew.trial=0"
if [ -n "$try" ]; then
    set tried=
    load_env --file (hd0,msdos{tried})/tried tried
    if [ "$tried" = 0 ]; then
        set tried=1
        save_env --file (hd0,msdos{tried})/tried tried
        set tried=
        load_env --file (hd0,msdos{tried})/tried tried
        if [ "$tried" = 1 ]; then
            set chosen="$try"
            set arguments="sinew.trial=1"
        fi
    fi
    if [ "$chosen" != "$try" ]; then
        set arguments="sinew.trial=0 sinew.rolled_back=1"
    fi
fi
)GRUB";

constexpr std::string_view start_template = R"GRUB(
# start_slot SLOT: starts it; returns if it can't be loaded. A slot's own grub.cfg sets sinew_loaded.
function start_slot {{
    if [ "$1" = b ]; then
        set root="hd0,msdos{boot_b}"
    else
        set root="hd0,msdos{boot_a}"
    fi
    set sinew_loaded=no
    set sinew_arguments="sinew.slot=$1 $arguments"
    echo "Sinew: starting slot $1 ($arguments)"
    source "($root)/grub.cfg"
    if [ "$sinew_loaded" = yes ]; then
        boot
    fi
    echo "Sinew: slot $1 can't be loaded"
}}

start_slot "$chosen"
set arguments="sinew.trial=0 sinew.rolled_back=1"
if [ "$chosen" = b ]; then
    start_slot a
else
    start_slot b
fi
echo "Sinew: neither slot can be loaded; trying again in 10 seconds"
sleep 10
reboot
)GRUB";

} // namespace

std::string boot_state_block(Slot slot, std::optional<Slot> trial) {
    return environment_block(
        fmt::format("slot={}\ntry={}\nwhole=yes\n", to_string(slot), trial ? to_string(*trial) : ""));
}

std::string tried_block(Tried tried) {
    return environment_block(fmt::format("tried={}\n", static_cast<char>(tried)));
}

Bytes tried_archive(Tried tried) {
    // A "ustar" header: fields of fixed width, numbers in octal text; unused fields stay zero.
    std::string header(block_size_bytes, '\0');
    auto const put = [&](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
    put(0, "tried");
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", block_size_bytes));
    put(136, "00000000000");
    put(148, "        "); // counts as spaces in its own sum
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    unsigned sum = 0;
    for (char const c : header) {
        sum += static_cast<unsigned char>(c);
    }
    put(148, fmt::format("{:06o}", sum));
    put(154, std::string_view("\0 ", 2));
    auto archive = to_bytes(header + tried_block(tried));
    archive.resize(tried_archive_blocks * block_size_bytes);
    return archive;
}

std::string grub_core_script(Description const& description, Layout const& layout) {
    auto const& boot = description.bootloader;
    std::string script = "# Generated from system.toml. Chooses the slot to start; see systems/README.md.\n";
    script += serial_commands(description);
    script += fmt::format(choose_template, fmt::arg("state", boot.state_block),
                          fmt::arg("copy", boot.state_copy_block), fmt::arg("tried", tried_partition_number));
    script += fmt::format(start_template, fmt::arg("boot_a", layout.boot(Slot::a).number),
                          fmt::arg("boot_b", layout.boot(Slot::b).number));
    return script;
}

std::string kernel_command_line(Description const& description) {
    std::string line;
    for (auto const& console : description.kernel.consoles) {
        line += "console=" + console + " ";
    }
    for (auto const& argument : description.kernel.arguments) {
        line += argument + " ";
    }
    auto const& log = description.crash_log;
    if (log.size_kib > 0) {
        // max_reason=4: orderly reboots leave their log too; Debian's kernels have no /dev/pmsg0.
        line += fmt::format(
            "memmap={0}K${1:#x} ramoops.mem_address={1:#x} ramoops.mem_size={2} ramoops.record_size={3} "
            "ramoops.console_size=0 ramoops.ftrace_size=0 ramoops.pmsg_size=0 ramoops.max_reason=4 "
            "ramoops.ecc=1 ",
            log.size_kib, log.address, log.size_kib * 1024, log.record_kib * 1024);
    }
    if (!line.empty()) {
        line.pop_back();
    }
    return line;
}

std::string grub_slot_script(Description const& description) {
    // Single quotes: the kernel's `$` (memmap=) isn't one of GRUB's variables.
    std::string quoted;
    for (std::size_t at = 0; auto const c : kernel_command_line(description)) {
        if (at++ == 0) {
            quoted += '\'';
        }
        if (c == ' ') {
            quoted += "' '";
        } else {
            quoted += c;
        }
    }
    if (!quoted.empty()) {
        quoted += '\'';
    }
    return fmt::format("# Generated from system.toml: how this slot's kernel is started.\n"
                       "if linux /vmlinuz {} $sinew_arguments; then\n"
                       "    if initrd /initramfs; then\n"
                       "        set sinew_loaded=yes\n"
                       "    fi\n"
                       "fi\n",
                       quoted);
}

} // namespace sinew::system
