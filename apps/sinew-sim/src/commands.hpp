/// What each command of sinew-sim does, once its arguments are read.
///
/// Threading: for the main thread.
#pragma once

#include "protocol.hpp"

#include <sinew/base/result.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sinew::sim {

enum class OutputFormat : std::uint8_t { text, json };

struct ServeOptions {
    std::filesystem::path socket_path;
    std::filesystem::path device = "/dev/uhid";
    bool pairs = false;
    /// "LED0=4"
    std::vector<std::string> names;
    /// How long the kernel's driver may take to take the chip.
    std::chrono::milliseconds ready_timeout{10'000};
};

/// Makes the chip and serves it until SIGTERM or SIGINT. Errors: as open_uhid() and Simulator::step();
/// timed_out: no driver took the chip.
[[nodiscard]] Result<> serve(ServeOptions const& options);

struct AskOptions {
    std::filesystem::path socket_path;
    OutputFormat format = OutputFormat::text;
    std::chrono::milliseconds timeout{5'000};
};

/// Asks the server once and prints its answer. Errors: as Client.
[[nodiscard]] Result<> ask(AskOptions const& options, Request const& request);

/// Prints each change until `count` were seen, or for ever. Errors: as Client; timed_out: no change within
/// `change_timeout`.
[[nodiscard]] Result<> watch(AskOptions const& options, Request const& request,
                             std::optional<std::uint64_t> count,
                             std::optional<std::chrono::milliseconds> change_timeout);

} // namespace sinew::sim
