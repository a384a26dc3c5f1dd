/// GRUB's scripts and the boot state blocks.
///
/// Invariant: whatever single block of the boot state is torn or lost, the script starts a slot that was once
/// validated.
#include <sinew/base/bytes.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::system {

namespace {

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

/// Reads the state, the copy if the state isn't whole, and falls back to the slot validated last.
constexpr std::string_view choose_template = R"GRUB(
set tried=
set starts=
set runs=
set slot_a=
set slot_b=
set active=
load_env --file (hd0,msdos{tried})/tried tried starts runs slot_a slot_b active
if [ -z "$tried" ]; then
    # No partition table: they can be read all the same, but not written.
    loopback counters (hd0){archive}+{archive_blocks}
    load_env --file (counters)/tried tried starts runs slot_a slot_b active
fi
set whole=no
load_env --file (hd0){state}+1 slot try whole
if [ "$whole" != yes ]; then
    echo "Sinew: boot state unreadable, using its copy"
    set slot=
    set try=
    load_env --file (hd0){copy}+1 slot try whole
fi
if [ "$whole" != yes ]; then
    set slot="$active"
    set try=
    if [ "$slot" != b ]; then
        set slot=a
    fi
    echo "Sinew: no boot state, starting slot $slot"
fi

# A trial starts only if GRUB could write down, and read back, that it was started.
set chosen="$slot"
set arguments="sinew.trial=0"
if [ -n "$try" ]; then
    if [ "$tried" = 0 ]; then
        set tried=1
        set starts=1
        set runs=1
        save_env --file (hd0,msdos{tried})/tried tried starts runs
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

/// Counts the start of a slot that isn't on trial. GRUB can't calculate.
constexpr std::string_view count_template = R"GRUB(
# Whatever isn't on trial is counted before it starts; sinewd takes the count back. After three starts that came to
# nothing it is the other slot's turn, if there is anything in it; then this one's again.
if [ "$arguments" != "sinew.trial=1" ]; then
    if [ "$slot" = b ]; then
        set other=a
        set worth="$slot_a"
    else
        set other=b
        set worth="$slot_b"
    fi
    if [ "$starts" = 1 ]; then
        set starts=2
    elif [ "$starts" = 2 ]; then
        set starts=3
    elif [ "$starts" = 3 -a -n "$worth" ]; then
        set starts=4
    elif [ "$starts" = 4 ]; then
        set starts=5
    elif [ "$starts" = 5 ]; then
        set starts=6
    else
        set starts=1
    fi
    if [ "$runs" = 1 ]; then
        set runs=2
    elif [ "$runs" = 2 ]; then
        set runs=3
    elif [ "$runs" = 3 ]; then
        set runs=4
    elif [ "$runs" = 4 ]; then
        set runs=5
    elif [ "$runs" = 5 -o "$runs" = 6 ]; then
        set runs=6
    else
        set runs=1
    fi
    save_env --file (hd0,msdos{tried})/tried starts runs
    if [ "$starts" = 4 -o "$starts" = 5 -o "$starts" = 6 ]; then
        echo "Sinew: slot $slot was started three times and didn't come up"
        set chosen="$other"
        if [ "$worth" = good ]; then
            set arguments="sinew.trial=0 sinew.rolled_back=1"
        else
            set arguments="sinew.trial=1 sinew.rolled_back=1"
        fi
    fi
fi
)GRUB";

constexpr std::string_view start_template = R"GRUB(
# start_slot SLOT: starts it; returns if it can't be loaded. A slot's own grub.cfg sets sinew_loaded. Where the boot
# partitions are is known, so a damaged partition table doesn't count.
function start_slot {{
    if [ "$1" = b ]; then
        loopback boot_b (hd0){boot_b}
        set root=boot_b
    else
        loopback boot_a (hd0){boot_a}
        set root=boot_a
    fi
    set sinew_loaded=no
    set sinew_arguments="sinew.slot=$1 $arguments sinew.starts=$starts sinew.runs=$runs"
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

/// GRUB's form of a range of blocks.
std::string block_list(PlacedPartition const& partition) {
    return fmt::format("{}+{}", partition.block_offset, partition.block_count);
}

} // namespace

std::string boot_state_block(Slot slot, std::optional<Slot> trial) {
    return device::format_grub_block({{"slot", std::string(to_string(slot))},
                                      {"try", std::string(trial ? to_string(*trial) : "")},
                                      {"whole", "yes"}});
}

device::BootCounters counters_of_new_disk() {
    return {.slot_a = device::SlotWorth::good, .active = "a"};
}

device::BootCounters counters_after_update(Slot to) {
    using enum device::SlotWorth;
    return {.tried = false,
            .slot_a = to == Slot::a ? unproven : good,
            .slot_b = to == Slot::b ? unproven : good,
            .active = std::string(to_string(other(to)))};
}

Bytes tried_archive() {
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
    auto archive = to_bytes(header + device::format_boot_counters(counters_of_new_disk()));
    archive.resize(tried_archive_blocks * block_size_bytes);
    return archive;
}

std::string grub_core_script(Description const& description, Layout const& layout) {
    auto const& boot = description.bootloader;
    std::string script = "# Generated from system.toml. Chooses the slot to start; see systems/README.md.\n";
    script += serial_commands(description);
    script += fmt::format(choose_template, fmt::arg("state", boot.state_block),
                          fmt::arg("copy", boot.state_copy_block), fmt::arg("tried", tried_partition_number),
                          fmt::arg("archive", layout.tried_archive_offset),
                          fmt::arg("archive_blocks", tried_archive_blocks));
    script += fmt::format(count_template, fmt::arg("tried", tried_partition_number));
    script += fmt::format(start_template, fmt::arg("boot_a", block_list(layout.boot(Slot::a))),
                          fmt::arg("boot_b", block_list(layout.boot(Slot::b))));
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
