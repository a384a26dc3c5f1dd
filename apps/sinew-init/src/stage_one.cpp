/// Implements stage one.
///
/// Invariant: nothing is written to any medium; the slot is mounted read-only.
#include "stage_one.hpp"

#include "machine.hpp"
#include "modules.hpp"
#include "mounts.hpp"

#include <sinew/base/result.hpp>
#include <sinew/device/load_config.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

constexpr char const* new_root = "/newroot";

/// Frees the memory of the initramfs: its modules and this program's own file.
void empty_initramfs() {
    std::error_code error;
    for (auto const* path : {"/lib", "/etc", "/init"}) {
        fs::remove_all(path, error); // Only costs memory when it fails.
    }
}

Result<> switch_root() {
    for (std::string const target : {"/proc", "/sys", "/dev"}) {
        if (::mount(target.c_str(), (new_root + target).c_str(), nullptr, MS_MOVE, nullptr) != 0) {
            return std::unexpected(
                error_from_errno(errno, "can't move " + target + " into the root file system"));
        }
    }
    empty_initramfs();
    if (::chdir(new_root) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
        ::chdir("/") != 0) {
        return std::unexpected(error_from_errno(errno, "can't switch to the root file system"));
    }
    return {};
}

/// Execs stage two and hands the open watchdog over. Returns only on failure.
Result<> execute_stage_two(Machine& machine) {
    std::string program = "/sbin/init";
    std::string watchdog;
    std::string replaced(replaced_partitions_option);
    std::vector<char*> arguments{program.data()};
    if (machine.has_replaced_partitions) {
        arguments.push_back(replaced.data());
    }
    if (machine.watchdog) {
        int const fd = machine.watchdog->descriptor().get();
        (void)::fcntl(fd, F_SETFD, 0);
        watchdog = "--watchdog-fd=" + std::to_string(fd);
        arguments.push_back(watchdog.data());
    }
    arguments.push_back(nullptr);
    ::execv(program.c_str(), arguments.data());
    return std::unexpected(error_from_errno(errno, "can't run /sbin/init of the root file system"));
}

} // namespace

Result<> run_stage_one(Machine& machine) {
    TRY(machine.config, device::load_init_config(device::default_init_config_path));
    load_modules(machine.config.early_modules, "/lib/modules", machine.command_line_text, machine.log);
    open_watchdog(machine, MissingWatchdog::is_fine_yet);
    TRY_OK(find_root_disk(machine));
    auto slot = machine.command_line.slot;
    if (slot.empty()) {
        machine.log.error("the kernel command line has no sinew.slot=a or sinew.slot=b; taking a");
        slot = "a";
    }
    TRY(auto const device, partition_device(machine, "rootfs_" + slot));
    TRY_OK(mount_file_system(
        {device, new_root, machine.config.rootfs_type, MS_RDONLY | MS_NODEV | MS_NOSUID, ""}));
    machine.log.info("slot " + slot + (machine.command_line.trial ? ", on trial" : ""));
    TRY_OK(switch_root());
    return execute_stage_two(machine);
}

} // namespace sinew::init
