/// QEMU's command line.
///
/// Invariant: the guest sees the same machine whatever the options are.
#include <sinew/base/command.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/emulator.hpp>

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

namespace {

Result<> check_path(std::string const& path, std::string_view what) {
    if (path.empty() || path.find_first_of(",\n") != std::string::npos) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("{}: '{}' is empty or has a comma, which QEMU can't take; rename it", what, path));
    }
    return {};
}

void add(std::vector<std::string>& command, std::vector<std::string> const& more) {
    command.insert(command.end(), more.begin(), more.end());
}

Result<> add_serial(std::vector<std::string>& command, EmulatorOptions const& options) {
    if (options.serial == SerialConsole::terminal) {
        std::string terminal = "stdio,id=serial0,mux=on,signal=off";
        if (!options.serial_path.empty()) {
            TRY_OK(check_path(options.serial_path.string(), "serial console"));
            terminal += fmt::format(",logfile={}", options.serial_path.string());
        }
        add(command, {"-chardev", terminal, "-mon", "serial0"});
    } else {
        TRY_OK(check_path(options.serial_path.string(), "serial console"));
        auto const path = options.serial_path.string();
        auto const backend = options.serial == SerialConsole::file
                                 ? fmt::format("file,id=serial0,path={}", path)
                                 : fmt::format("socket,id=serial0,path={},server=on,wait=off", path);
        add(command, {"-chardev", backend});
    }
    add(command, {"-serial", "chardev:serial0"});
    return {};
}

} // namespace

Result<std::vector<std::string>> emulator_command(Description const& description,
                                                  EmulatorOptions const& options) {
    auto const& emulator = description.emulator;
    bool const kvm = options.acceleration == Acceleration::kvm;
    TRY_OK(check_path(options.image.string(), "disk image"));
    std::vector<std::string> command = {emulator.program};
    add(command, {"-machine", emulator.machine, "-accel", kvm ? "kvm" : "tcg"});
    add(command, {"-cpu", kvm ? emulator.processor_kvm : emulator.processor});
    add(command, {"-smp", std::to_string(emulator.processors), "-m", std::to_string(emulator.memory_mib)});
    add(command, emulator.arguments);
    add(command, {"-display", "none"});
    TRY_OK(add_serial(command, options));
    add(command, {"-drive", fmt::format("file={},format=raw,if=none,id=disk0,cache=writeback{}",
                                        options.image.string(), options.snapshot ? ",snapshot=on" : "")});
    add(command, {"-device", emulator.disk_device + ",drive=disk0,bootindex=0"});
    std::string network = "user,id=net0";
    if (options.ssh_port) {
        network += fmt::format(",hostfwd=tcp:127.0.0.1:{}-:22", *options.ssh_port);
    }
    add(command, {"-netdev", network, "-device", emulator.network_device + ",netdev=net0"});
    if (!options.control_path.empty()) {
        TRY_OK(check_path(options.control_path.string(), "control socket"));
        add(command, {"-qmp", fmt::format("unix:{},server=on,wait=off", options.control_path.string())});
    }
    add(command, options.arguments);
    return command;
}

Acceleration detect_acceleration(Description const& description) {
    utsname machine{};
    auto const target = description.gnu_triplet.substr(0, description.gnu_triplet.find('-'));
    bool const same = ::uname(&machine) == 0 && target == machine.machine;
    if (!same || ::access("/dev/kvm", R_OK | W_OK) != 0) {
        return Acceleration::software;
    }
    // A virtual machine may have a /dev/kvm that can't do what this processor needs: QEMU says so when it
    // starts.
    CommandOptions options;
    options.input = "quit\n";
    options.timeout = std::chrono::seconds(10);
    auto const& emulator = description.emulator;
    auto const probe =
        run_command({emulator.program, "-machine", emulator.machine, "-accel", "kvm", "-cpu",
                     emulator.processor_kvm, "-nodefaults", "-display", "none", "-S", "-monitor", "stdio"},
                    options);
    return probe && probe->status == 0 ? Acceleration::kvm : Acceleration::software;
}

} // namespace sinew::system
