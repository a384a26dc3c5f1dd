/// What a task may only do with --unsafe: write elsewhere than to its disk, and run commands.
///
/// Invariant: nobody gets a byte of a resource before its hash was right; only then commands are started.
/// Commands run by /bin/sh. Their standard input is the resource or empty, never the archive; what they print
/// goes to standard error, so that it can't get between the frames of fwup's own output. Threading: free
/// functions that block until the command ends.
#pragma once

#include "archive/resource_stream.hpp"

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace sinew::firmware {

/// Told of every piece of payload that was written.
using OnPayload = std::function<void(std::uint64_t)>;

/// Makes or replaces a file, holes included: written beside it, synced, and renamed once its hash was right,
/// with the mode of one that was there. A link is followed. A device, and a file beside which none can be made
/// (in sysfs), is written from its beginning.
[[nodiscard]] Result<> write_to_path(std::filesystem::path const& path, ResourceStream& resource,
                                     OnPayload const& on_payload);

/// Feeds the resource to a command, holes as zeros. Error io: it stopped reading, or its status isn't 0.
[[nodiscard]] Result<> write_to_command(std::string const& command, ResourceStream& resource,
                                        OnPayload const& on_payload);

/// Replaces the content of a UBI volume (/dev/ubi0_1), holes as zeros.
[[nodiscard]] Result<> write_to_ubi_volume(std::filesystem::path const& volume, ResourceStream& resource,
                                           OnPayload const& on_payload);

/// Runs a command. Error io: its status isn't 0.
[[nodiscard]] Result<> execute(std::string const& command);

} // namespace sinew::firmware
