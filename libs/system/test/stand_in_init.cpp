// Stands in for PID 1 where a system test only asks what the bootloader did: says how it was started, and
// reboots.
//
// Compiled by test/system/test_boot_state.py with the target's own toolchain, statically.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main() {
    ::mkdir("/proc", 0755);
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) {
        std::perror("mount /proc");
    }
    char command_line[4096] = {};
    int const line_file = ::open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    if (::read(line_file, command_line, sizeof command_line - 1) < 0) {
        std::perror("read");
    }
    std::printf("STAND-IN %s\n", command_line);
    std::fflush(stdout);
    ::tcdrain(STDOUT_FILENO);
    ::sync();
    ::reboot(RB_AUTOBOOT);
    return EXIT_FAILURE; // PID 1 must not end: the kernel panics, and panic=5 resets
}
