/// sinew-init: PID 1 of a Sinew device, first in the initramfs, then in the root file system.
///
/// Invariant: as PID 1 it never returns; the kernel panics when process 1 ends.
#include "machine.hpp"
#include "mounts.hpp"
#include "shutdown.hpp"
#include "stage_one.hpp"
#include "stage_two.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/text.hpp>
#include <sinew/device/hardware_watchdog.hpp>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::init {
namespace {

constexpr std::string_view watchdog_option = "--watchdog-fd=";

/// The initramfs is the only root in memory that a kernel starts with.
bool is_in_initramfs() {
    struct statfs root{};
    return ::statfs("/", &root) == 0 && (root.f_type == RAMFS_MAGIC || root.f_type == TMPFS_MAGIC);
}

/// The kernel finds no console in an initramfs without device nodes.
void open_console() {
    int const console = ::open("/dev/console", O_RDWR | O_NOCTTY);
    for (int fd = STDIN_FILENO; console >= 0 && fd <= STDERR_FILENO; ++fd) {
        (void)::dup2(console, fd);
    }
    if (console > STDERR_FILENO) {
        (void)::close(console);
    }
}

void adopt_watchdog(Machine& machine, std::span<char*> arguments) {
    for (std::string_view const argument : arguments) {
        if (!argument.starts_with(watchdog_option)) {
            continue;
        }
        auto const fd = parse_number<int>(argument.substr(watchdog_option.size()));
        if (!fd || *fd < 0) {
            continue;
        }
        (void)::fcntl(*fd, F_SETFD, FD_CLOEXEC);
        if (auto adopted = device::HardwareWatchdog::adopt(FileDescriptor(*fd))) {
            machine.watchdog = *std::move(adopted);
        }
    }
}

[[noreturn]] void run(Machine& machine, std::span<char*> arguments) {
    mount_kernel_file_systems(machine.log);
    open_console();
    machine.log.open_kernel_log();
    read_command_line(machine);
    if (is_in_initramfs()) {
        auto const failed = run_stage_one(machine);
        give_up(machine, failed ? "stage one returned" : failed.error().message());
    }
    adopt_watchdog(machine, arguments);
    machine.has_replaced_partitions =
        std::ranges::find(arguments, replaced_partitions_option,
                          [](char const* argument) { return std::string_view(argument); }) != arguments.end();
    run_stage_two(machine);
}

constexpr char const* usage =
    "sinew-init is process 1 of a Sinew device; it can't be run by hand.\n"
    "\n"
    "In the initramfs (/init) it loads the early modules, finds its disk and switches to the slot's root "
    "file system;\n"
    "there (/sbin/init) it mounts /data and runs the command of /etc/sinew/init.toml.\n"
    "Signals to process 1: TERM, INT reboot; USR1, PWR halt; USR2 powers off.\n";

} // namespace
} // namespace sinew::init

int main(int argument_count, char** arguments) {
    using namespace sinew::init;
    auto const all = std::span(arguments, static_cast<std::size_t>(argument_count));
    bool const asks_for_help = all.size() > 1 && std::string_view(all[1]) == "--help";
    if (asks_for_help || ::getpid() != 1) {
        std::fputs(usage, asks_for_help ? stdout : stderr);
        return asks_for_help ? 0 : 1;
    }
    Machine machine;
    try {
        run(machine, all);
    } catch (std::exception const& bug) {
        give_up(machine, std::string("a bug in sinew-init: ") + bug.what());
    }
}
