/// QEMU's command line for a target.
///
/// Pure functions, except detect_acceleration().
#pragma once

#include <sinew/system/description.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sinew::system {

enum class Acceleration : std::uint8_t {
    software, ///< Works everywhere.
    kvm,
};

/// Where the guest's serial console goes.
enum class SerialConsole : std::uint8_t {
    terminal, ///< Standard input and output, with QEMU's monitor behind Ctrl-A.
    file,
    socket, ///< A listening socket in the file system; QEMU doesn't wait for a client.
};

struct EmulatorOptions {
    /// A raw disk image.
    std::filesystem::path image{};
    Acceleration acceleration = Acceleration::software;
    SerialConsole serial = SerialConsole::terminal;
    /// For SerialConsole::file and socket; for terminal the file that keeps a copy, or empty.
    std::filesystem::path serial_path{};
    /// A port of this machine (127.0.0.1) forwarded to the guest's SSH server.
    std::optional<std::uint16_t> ssh_port{};
    /// A listening socket for QEMU's machine protocol (QMP).
    std::filesystem::path control_path{};
    /// Forget all writes to the image when QEMU ends.
    bool snapshot = false;
    /// More arguments, as they are.
    std::vector<std::string> arguments{};
};

/// The command: program and arguments. Without a display. Error invalid_argument: the image's path has a
/// comma or a line feed (QEMU's option syntax); serial_path is missing.
[[nodiscard]] Result<std::vector<std::string>> emulator_command(Description const& description,
                                                                EmulatorOptions const& options);

/// KVM if the target's architecture is this machine's and QEMU can start a machine with it. Blocks: starts
/// QEMU once.
[[nodiscard]] Acceleration detect_acceleration(Description const& description);

} // namespace sinew::system
