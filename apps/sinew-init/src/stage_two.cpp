/// Implements stage two.
///
/// Invariant: no step's failure keeps the next from being tried; the command is started whatever happened.
#include "stage_two.hpp"

#include "boot_reason.hpp"
#include "children.hpp"
#include "clock_floor.hpp"
#include "data_partition.hpp"
#include "entropy.hpp"
#include "hostname.hpp"
#include "loopback.hpp"
#include "machine.hpp"
#include "modules.hpp"
#include "mounts.hpp"
#include "partition_tools.hpp"
#include "serial_number.hpp"
#include "shutdown.hpp"
#include "sysctl.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/load_config.hpp>

#include <sys/eventfd.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

void warn_on_error(Machine& machine, Result<> const& result) {
    if (!result) {
        machine.log.warning(result.error().message());
    }
}

void load_config(Machine& machine) {
    if (auto config = device::load_init_config(device::default_init_config_path)) {
        machine.config = *std::move(config);
    } else {
        machine.log.error("going on with the defaults: " + config.error().message());
    }
}

void load_late_modules(Machine& machine) {
    utsname names{};
    (void)::uname(&names);
    load_modules(machine.config.modules, fs::path("/lib/modules") / names.release, machine.command_line_text,
                 machine.log);
}

void raise_clock(Machine& machine, std::optional<std::int64_t> floor) {
    if (!floor) {
        return;
    }
    if (auto raised = raise_clock_to(*floor); !raised) {
        machine.log.warning(raised.error().message());
    }
}

Result<std::string> data_device(Machine& machine) {
    if (::access("/dev/rootdisk0", F_OK) != 0) {
        TRY_OK(find_root_disk(machine)); // A board whose kernel mounts the root by itself has no stage one.
    }
    return partition_device(machine, "data");
}

/// The starts before this one came to nothing, and what it leaves alone may be why.
bool is_careful(Machine const& machine) {
    return device::is_careful_start(machine.command_line.starts);
}

DataReport bring_up_data_partition(Machine& machine) {
    if (is_careful(machine)) {
        std::string const why = "the starts before this one came to nothing, so this one leaves it alone";
        machine.log.critical("data partition: " + why);
        return {device::DataState::missing, why};
    }
    auto const device = data_device(machine);
    if (!device) {
        machine.log.critical("data partition: " + device.error().message());
        return {device::DataState::missing, device.error().message()};
    }
    Ext4Tools tools(*device, machine.config.data_path, [&machine] { machine.pet(); });
    return bring_up_data(tools, machine.command_line.trial ? OnTrial::yes : OnTrial::no, machine.log);
}

std::optional<device::EndRecord> take_saved_end(fs::path const& file) {
    auto const text = read_text_file(file, 4096);
    (void)::unlink(file.c_str());
    return text ? device::find_end_record(*text) : std::nullopt;
}

void restore_state(Machine& machine, StatePaths const& paths) {
    (void)::mkdir(paths.folder.c_str(), 0700);
    raise_clock(machine, load_saved_time(paths.time()));
    warn_on_error(machine, restore_seed(paths.seed()));
    warn_on_error(machine, save_seed(paths.seed()));
}

device::BootReport name_machine(Machine& machine, device::BootReport report) {
    report.serial_number = find_serial_number(machine.command_line.serial_number, "/");
    report.hostname = format_hostname(machine.config.hostname_pattern, report.serial_number);
    if (::sethostname(report.hostname.c_str(), report.hostname.size()) != 0) {
        machine.log.warning(error_from_errno(errno, "can't set the host name").message());
    }
    return report;
}

Result<> write_report(device::BootReport const& report) {
    (void)::mkdir("/run/sinew", 0755);
    TRY(auto const text, to_toml(report));
    return write_file_atomically(device::boot_report_path, as_bytes(text));
}

CommandSpec command_spec(Machine const& machine) {
    CommandSpec spec{.arguments = machine.config.command,
                     .environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
                                     {"HOME", "/root"},
                                     {"TERM", "linux"},
                                     {"LANG", "C.UTF-8"}}};
    if (machine.watchdog) {
        spec.descriptors.emplace_back(machine.watchdog->descriptor().get(), 3);
        spec.environment.emplace_back(device::watchdog_environment, "3");
    }
    if (machine.beats) {
        spec.descriptors.emplace_back(machine.beats.get(), 4);
        spec.environment.emplace_back(device::beat_environment, "4");
    }
    return spec;
}

std::string seconds_since_boot() {
    auto const now = std::chrono::steady_clock::now().time_since_epoch();
    auto const milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    auto const fraction = std::to_string(1000 + (milliseconds % 1000));
    return std::to_string(milliseconds / 1000) + "." + fraction.substr(1) + " s";
}

void prepare(Machine& machine, StatePaths& paths) {
    load_config(machine);
    paths = state_paths(machine.config);
    raise_clock(machine, machine.config.build_time);
    mount_temporary_file_systems(machine.log);
    // Before the drivers: an interface starts with what holds for new ones.
    apply_kernel_settings(parse_kernel_settings(read_text_file("/etc/sysctl.conf", 64u << 10).value_or("")),
                          "/proc/sys", machine.log);
    load_late_modules(machine);
    open_watchdog(machine, MissingWatchdog::is_a_warning);
    machine.pet();
    BootEvidence evidence;
    evidence.command_line = machine.command_line;
    if (!is_careful(machine)) {
        evidence.crash_store = take_crash_store("/sys/fs/pstore");
    }
    auto const data = bring_up_data_partition(machine);
    if (data.state != device::DataState::missing) {
        restore_state(machine, paths);
        evidence.saved_end = take_saved_end(paths.end());
    }
    warn_on_error(machine, bring_up_loopback());
    evidence.watchdog_reset = machine.watchdog && machine.watchdog->caused_last_reset();
    auto report = name_machine(machine, explain_boot(evidence));
    report.has_damaged_table = machine.has_replaced_partitions;
    report.data = data.state;
    report.data_detail = data.detail;
    warn_on_error(machine, write_report(report));
    machine.log.notice("boot reason: " + std::string(device::to_string(report.reason)) +
                       (report.detail.empty() ? "" : " (" + report.detail + ")"));
}

} // namespace

StatePaths state_paths(device::InitConfig const& config) {
    return {fs::path(config.data_path) / "sinew"};
}

void run_stage_two(Machine& machine) {
    (void)::reboot(RB_DISABLE_CAD); // Ctrl-Alt-Del becomes SIGINT.
    block_all_signals();
    machine.beats = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    StatePaths paths;
    prepare(machine, paths);
    auto const& program =
        machine.config.command.empty() ? std::string("(none)") : machine.config.command.front();
    auto command = machine.config.command.empty()
                       ? Result<pid_t>(failure(ErrorCode::invalid_argument, "init.toml names no command"))
                       : start_command(command_spec(machine));
    machine.pet();
    Ending ending;
    if (command) {
        machine.log.info("started " + program + " after " + seconds_since_boot());
        ending = wait_for_ending(machine, *command);
    } else {
        machine.log.critical(command.error().message());
        ending = unexpected_ending(machine, command.error().message());
    }
    shut_down(machine, paths, ending);
}

} // namespace sinew::init
